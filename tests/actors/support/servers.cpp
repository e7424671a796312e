#include "tests/actors/support/servers.hpp"

#include <catch2/catch.hpp>

#include <utility>

namespace troupe::test {

namespace {

class mortal_store : public session_store {
public:
  mortal_store(std::unique_ptr<session_store> store, std::shared_ptr<disk> where)
      : store_(std::move(store)), where_(std::move(where)) {}
  result<std::optional<session_record>> load(std::string_view id) override { return store_->load(id); }
  result<void> append(const std::vector<session_append>& batch) override {
    if (where_->is_gone)
      return fail(errc::store_failed, "the server is dead");
    if (where_->is_full)
      return fail(errc::store_full, "the disk is full");
    return store_->append(batch);
  }
  result<std::optional<std::string>> session_of(std::string_view id) override {
    return store_->session_of(id);
  }
  result<bool> erase(std::string_view id) override { return store_->erase(id); }
  bool has_journal() const noexcept override { return true; }
  result<std::optional<stored_run>> load_run(std::string_view id) override { return store_->load_run(id); }
  result<std::vector<orphaned_run>> adopt_runs() override { return store_->adopt_runs(); }
  result<std::vector<stored_event>> load_events(std::string_view id, std::uint64_t last,
                                                std::size_t most) override {
    return store_->load_events(id, last, most);
  }

private:
  std::unique_ptr<session_store> store_;
  std::shared_ptr<disk> where_;
};

} // namespace

chat_request prompt(std::string text, std::string run_id, std::string session) {
  chat_request request;
  request.prompt = std::move(text);
  request.session_id = std::move(session);
  request.run_id = std::move(run_id);
  return request;
}

void servers::start(const std::function<void(runtime_options&)>& change) {
  now = std::make_unique<stage>();
  tool = std::make_shared<fake_tool>();
  auto options = stage::two_agents();
  options.takes_up_runs = true;
  options.tools = {{"triage", now->fake("pay", tool)}};
  options.open_store = [this] {
    auto opened = open_sqlite_store(folder / "s.db");
    if (opened)
      opened = std::unique_ptr<session_store>(std::make_unique<mortal_store>(std::move(*opened), where));
    return opened;
  };
  where = std::make_shared<disk>();
  if (change)
    change(options);
  now->begin(options);
}

void servers::kill() {
  where->is_gone = true;
  now.reset();
}

run_record_ptr servers::show(const std::string& run_id) {
  const auto shown = now->ask<run_record_ptr>(now->actors.sessions, run_atom::value, run_id);
  now->run();
  REQUIRE(shown->value);
  return *shown->value;
}

} // namespace troupe::test
