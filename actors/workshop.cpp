#include "actors/workshop.hpp"

#include "actors/agent.hpp"
#include "actors/endpoint_model.hpp"
#include "actors/fallback_model.hpp"
#include "actors/io/http_client.hpp"
#include "actors/mcp_server.hpp"
#include "actors/replay_model.hpp"
#include "actors/scripted_model.hpp"
#include "actors/sessions.hpp"
#include "actors/store.hpp"
#include "actors/wiring.hpp"
#include "libagent/config/secrets.hpp"
#include "libagent/session/sealed_store.hpp"

#include <caf/actor_cast.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <utility>

namespace troupe {

namespace {

/// What `config::check` cannot see: names that only code gives.
std::vector<std::string> check_code(const runtime_options& options) {
  std::vector<std::string> wrong;
  const auto& agents = options.config.agents;
  for (const auto& [agent, tool] : options.tools)
    if (std::none_of(agents.begin(), agents.end(), [&](const auto& known) { return known.name == agent; }))
      wrong.push_back(
          fmt::format("the tool '{}' is for the agent '{}', which does not exist", tool.spec.name, agent));
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& [agent, tool] : options.tools)
    if (!seen.emplace(agent, tool.spec.name).second)
      wrong.push_back(
          fmt::format("the agent '{}' has two tools in code that are called '{}'", agent, tool.spec.name));
  return wrong;
}

result<void> check(const runtime_options& options) {
  auto config = options.config;
  // What is given in code counts as the configuration's.
  for (const auto& [name, handle] : options.models)
    config.models.push_back({name, scripted::script{}});
  for (const auto& [name, handle] : options.guardrails)
    config.guardrails.push_back({name, guardrail::builtin()});
  auto wrong = config::check(config);
  const auto more = check_code(options);
  wrong.insert(wrong.end(), more.begin(), more.end());
  if (wrong.empty())
    return {};
  return fail(errc::invalid_config, fmt::format("{}", fmt::join(wrong, "; ")));
}

/// A store in memory, or the embedder's own, which outlives the actor that has it.
class kept_store : public session_store {
public:
  explicit kept_store(std::shared_ptr<session_store> store) : store_(std::move(store)) {}
  result<std::optional<session_record>> load(std::string_view session_id) override {
    return store_->load(session_id);
  }
  result<void> append(const std::vector<session_append>& batch) override { return store_->append(batch); }
  result<std::optional<std::string>> session_of(std::string_view run_id) override {
    return store_->session_of(run_id);
  }
  result<bool> erase(std::string_view session_id) override { return store_->erase(session_id); }
  bool has_journal() const noexcept override { return store_->has_journal(); }
  result<std::optional<stored_run>> load_run(std::string_view run_id) override {
    return store_->load_run(run_id);
  }
  result<std::optional<run_head>> load_head(std::string_view run_id) override {
    return store_->load_head(run_id);
  }
  result<std::optional<paused_run>> load_paused(std::string_view run_id) override {
    return store_->load_paused(run_id);
  }
  result<std::vector<orphaned_run>> adopt_runs(const orphan_filter& wanted) override {
    return store_->adopt_runs(wanted);
  }
  result<std::vector<stored_event>> load_events(std::string_view run_id, std::uint64_t last,
                                                events_bound most) override {
    return store_->load_events(run_id, last, most);
  }
  result<bool> purge(const retention& kept) override { return store_->purge(kept); }
  result<void> sync() override { return store_->sync(); }

private:
  std::shared_ptr<session_store> store_;
};

/// A handle of any type, as the supervisor has it.
template <class Handle>
caf::actor as_part(const Handle& handle) {
  return caf::actor_cast<caf::actor>(handle);
}

} // namespace

result<std::shared_ptr<workshop>> workshop::open(caf::actor_system& system, io::reactor& io,
                                                 const runtime_options& options) {
  if (auto checked = check(options); !checked)
    return checked.error();
  std::shared_ptr<workshop> made(new workshop(system, io, options));
  if (auto prepared = made->prepare(); !prepared)
    return prepared.error();
  return made;
}

result<void> workshop::prepare() {
  if (auto prepared = prepare_store(); !prepared)
    return prepared;
  for (const auto& model : options_.config.models)
    if (auto prepared = prepare_model(model); !prepared)
      return fail(errc::invalid_config, fmt::format("model '{}': {}", model.name, prepared.error().detail));
  for (std::size_t i = 0; i < options_.config.hooks.size(); ++i) {
    auto client = make_hook_client(io_, options_.config.hooks[i]);
    if (!client)
      return fail(errc::invalid_config,
                  fmt::format("hook '{}': {}", options_.config.hooks[i].name, client.error().detail));
    hook_clients_[i] = std::move(*client);
  }
  return {};
}

result<void> workshop::prepare_store() {
  const auto& sessions = options_.config.sessions;
  hides_ = std::make_shared<const redactor>(config::collect_secrets(options_.config));
  if (options_.open_store) {
    auto store = options_.open_store();
    if (!store)
      return store.error();
    memory_ = std::move(*store);
  } else if (sessions.store == config::session_options::store_kind::sqlite) {
    auto store = open_sqlite_store(sessions.path.string(), options_.config.journal.kept, seat_);
    if (!store)
      return store.error();
    store_ = make_sealed_store(std::move(*store), hides_);
  } else {
    memory_ = make_memory_store({sessions.max_sessions});
  }
  auto& store = memory_ ? *memory_ : *store_;
  is_journaled_ = store.has_journal();
  if (!options_.takes_up_runs)
    return {};
  auto orphans = store.adopt_runs(options_.runs_to_take_up);
  if (!orphans)
    return orphans.error();
  orphans_ = std::move(*orphans);
  return {};
}

result<void> workshop::prepare_model(const config::model_options& model) {
  if (const auto* endpoint = std::get_if<config::endpoint_options>(&model.provider)) {
    auto client = make_model_client(io_, *endpoint);
    if (!client)
      return client.error();
    clients_[model.name] = std::make_shared<std::unique_ptr<io::http_client>>(std::move(*client));
  } else if (const auto* replay = std::get_if<config::replay_options>(&model.provider)) {
    auto recording = read_cassette(replay->cassette.string(), hides_);
    if (!recording)
      return recording.error();
    cassettes_[model.name] = std::make_shared<cassette>(std::move(*recording));
  }
  if (model.record.empty())
    return {};
  auto file = open_cassette(model.record.string());
  if (!file)
    return file.error();
  recordings_[model.name] = std::move(*file);
  return {};
}

std::vector<part> workshop::parts() {
  std::vector<part> all;
  add_models(all);
  add_servers(all);
  add_store(all);
  add_hooks(all);
  add_agents(all);
  add_sessions(all);
  return all;
}

result<caf::actor> workshop::make_model(const config::model_options& model) {
  const auto& config = options_.config;
  if (const auto* written = std::get_if<scripted::script>(&model.provider)) {
    auto script = *written;
    script.handoffs = scripted::handoffs_of(config.agents);
    return as_part(system_.spawn(scripted_model, model.name, std::move(script)));
  }
  if (std::holds_alternative<config::replay_options>(model.provider))
    return as_part(system_.spawn(replay_model, model.name, cassettes_.at(model.name)));
  const auto& endpoint = std::get<config::endpoint_options>(model.provider);
  auto client = std::exchange(clients_[model.name], nullptr);
  if (!client) {
    auto made = make_model_client(io_, endpoint);
    if (!made)
      return made.error();
    client = std::make_shared<std::unique_ptr<io::http_client>>(std::move(*made));
  }
  return as_part(system_.spawn(endpoint_model, model.name, endpoint, hides_, std::move(client)));
}

void workshop::add_models(std::vector<part>& all) {
  const auto shop = shared_from_this();
  for (const auto& [name, handle] : options_.models)
    all.push_back({name, "model", nullptr,
                   [name = name](cast& into, const caf::actor& model) {
                     into.plain_models[name] = caf::actor_cast<model_actor>(model);
                   },
                   false});
  for (const auto& model : options_.config.models)
    all.push_back({model.name, "model", [shop, &model](const cast&) { return shop->make_model(model); },
                   [&model](cast& into, const caf::actor& made) {
                     into.plain_models[model.name] = caf::actor_cast<model_actor>(made);
                   }});
  for (const auto& model : options_.config.models)
    if (!model.record.empty())
      all.push_back({model.name, "recording",
                     [shop, &model](const cast& others) -> result<caf::actor> {
                       recording_setup setup{model.name, others.plain_models.at(model.name),
                                             shop->recordings_.at(model.name), shop->hides_};
                       return as_part(shop->system_.spawn<caf::detached>(recording_model, std::move(setup)));
                     },
                     [&model](cast& into, const caf::actor& made) {
                       into.recordings[model.name] = caf::actor_cast<model_actor>(made);
                     }});
  for (const auto& model : options_.config.models)
    if (!model.fallbacks.empty())
      all.push_back({model.name, "fallback",
                     [shop, &model](const cast& others) -> result<caf::actor> {
                       return as_part(shop->system_.spawn(fallback_model, chain_of(model, others)));
                     },
                     [&model](cast& into, const caf::actor& made) {
                       into.chains[model.name] = caf::actor_cast<model_actor>(made);
                     }});
}

void workshop::add_servers(std::vector<part>& all) {
  const auto shop = shared_from_this();
  for (const auto& server : options_.config.mcp_servers)
    all.push_back({server.name, "mcp_server",
                   [shop, &server](const cast&) -> result<caf::actor> {
                     return as_part(shop->system_.spawn(mcp_server, server, shop->hides_,
                                                        reactor_reference{&shop->io_}));
                   },
                   [&server](cast& into, const caf::actor& made) {
                     const auto handle = caf::actor_cast<mcp_server_actor>(made);
                     for (auto& [name, known] : into.mcp_servers)
                       if (name == server.name) {
                         known = handle;
                         return;
                       }
                     into.mcp_servers.emplace_back(server.name, handle);
                   },
                   false});
}

result<caf::actor> workshop::make_store() {
  const auto& config = options_.config;
  auto setup = std::make_shared<store_setup>();
  setup->kept = config.journal.over;
  setup->measures = make_store_measures(*options_.counted);
  if (memory_) {
    setup->store = std::make_unique<kept_store>(memory_);
    return as_part(system_.spawn(store_behavior, std::move(setup)));
  }
  setup->store = std::move(store_);
  if (!setup->store) {
    auto opened = open_sqlite_store(config.sessions.path.string(), config.journal.kept, seat_);
    if (!opened)
      return opened.error();
    setup->store = make_sealed_store(std::move(*opened), hides_);
  }
  if (config.journal.kept != durability::full)
    setup->sync_interval = config.journal.sync_interval;
  // SQLite blocks; a map does not.
  return as_part(system_.spawn<caf::detached>(store_behavior, std::move(setup)));
}

void workshop::add_store(std::vector<part>& all) {
  const auto shop = shared_from_this();
  all.push_back({"store", "store", [shop](const cast&) { return shop->make_store(); },
                 [shop](cast& into, const caf::actor& made) {
                   into.store = caf::actor_cast<store_actor>(made);
                   into.is_journaled = shop->is_journaled_;
                   into.hides = shop->hides_;
                 }});
}

result<caf::actor> workshop::make_hook(std::size_t index) {
  const auto& options = options_.config.hooks[index];
  auto client = std::exchange(hook_clients_[index], nullptr);
  if (!client) {
    auto made = make_hook_client(io_, options);
    if (!made)
      return made.error();
    client = std::move(*made);
  }
  return as_part(spawn_hook_client(system_, options, std::move(client), hides_));
}

void workshop::add_hooks(std::vector<part>& all) {
  for (std::size_t i = 0; i < options_.config.hooks.size(); ++i) {
    const auto& hook = options_.config.hooks[i];
    all.push_back({config::shown_name(hook), "hook",
                   [shop = shared_from_this(), i](const cast&) { return shop->make_hook(i); },
                   [i](cast& into, const caf::actor& made) {
                     into.hooks.resize(std::max(into.hooks.size(), i + 1));
                     into.hooks[i] = caf::actor_cast<hook_actor>(made);
                   }});
  }
}

void workshop::add_agents(std::vector<part>& all) {
  for (const auto& agent : options_.config.agents)
    all.push_back({agent.name, "agent",
                   [shop = shared_from_this()](const cast&) -> result<caf::actor> {
                     return as_part(shop->system_.spawn(agent_behavior));
                   },
                   [&agent](cast& into, const caf::actor& made) {
                     auto agents = into.agents ? *into.agents : roster();
                     agents[agent.name] = caf::actor_cast<agent_actor>(made);
                     into.agents = std::make_shared<const roster>(std::move(agents));
                   }});
}

void workshop::add_sessions(std::vector<part>& all) {
  all.push_back(
      {"sessions", "sessions",
       [shop = shared_from_this()](const cast& others) -> result<caf::actor> {
         const auto& config = shop->options_.config;
         if (const auto left = std::exchange(shop->left_, std::make_shared<left_runs>())) {
           end_lost(others.store, left->lost);
           shop->orphans_ = std::move(left->untouched);
         }
         return as_part(
             shop->system_.spawn(sessions_behavior, others.environment,
                                 sessions_limits{config.limits.max_runs, config.sessions.idle_timeout,
                                                 config.sessions.max_idle, config.limits.kept_runs},
                                 std::exchange(shop->orphans_, {}), shop->left_));
       },
       [](cast& into, const caf::actor& made) { into.sessions = caf::actor_cast<sessions_actor>(made); }});
}

} // namespace troupe
