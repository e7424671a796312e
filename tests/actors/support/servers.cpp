#include "tests/actors/support/servers.hpp"

#include "tests/actors/support/moody_disk.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>

namespace troupe::test {

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
      opened = std::unique_ptr<session_store>(std::make_unique<moody_disk>(
          std::move(*opened),
          [disk = where](auto& store, const auto& batch) {
            if (disk->is_gone)
              return result<void>(fail(errc::store_failed, "the server is dead"));
            if (disk->is_full ||
                (disk->is_full_for && std::any_of(batch.begin(), batch.end(), disk->is_full_for)))
              return result<void>(fail(errc::store_full, "the disk is full"));
            return store.append(batch);
          },
          [disk = where] {
            return disk->cannot_adopt ? result<void>(fail(errc::unavailable, "it is locked"))
                                      : result<void>();
          }));
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

void servers::shut_down() {
  const auto stopped = now->ask<acknowledgement>(now->actors.sessions, stop_atom::value, caf::timespan(0));
  now->run();
  now->advance(std::chrono::milliseconds(1));
  REQUIRE(stopped->value);
  kill();
}

run_record_ptr servers::show(const std::string& run_id) {
  const auto shown = now->ask<run_record_ptr>(now->actors.sessions, run_atom::value, run_id);
  now->run();
  REQUIRE(shown->value);
  return *shown->value;
}

void servers::restart() {
  kill();
  start();
}

void servers::says(const std::string& text) {
  now->model->says(text);
  now->run();
}

void servers::leave_in_doubt(const chat_request& request) {
  now->chat(request);
  now->model->calls_tools({{"pay", "{}"}});
  now->run();
  restart();
  REQUIRE(show(request.run_id)->status == run_status::paused);
}

void servers::cancel(const std::string& run_id) {
  const auto told =
      now->ask<run_record_ptr>(now->actors.sessions, cancel_atom::value, run_id, cancel_mode::at_once);
  now->run();
  REQUIRE(told->value);
}

} // namespace troupe::test
