#include "actors/replay_model.hpp"

#include "libagent/model/response_deltas.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace troupe {

result<cassette> read_cassette(const std::string& path, redactor_ptr hides) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad())
    return fail(errc::invalid_config, fmt::format("the cassette '{}' cannot be read: {}", path,
                                                  std::strerror(errno != 0 ? errno : EIO)));
  auto read = cassette::parse(text, std::move(hides));
  if (!read)
    return fail(errc::invalid_config, fmt::format("the cassette '{}': {}", path, read.error().detail));
  return read;
}

watched_model_actor::behavior_type replay_model(watched_model_actor::pointer self, std::string model_name,
                                                std::shared_ptr<cassette> recording) {
  return {
      [self, model_name = std::move(model_name),
       recording = std::move(recording)](const model_call& what) -> caf::result<model_response> {
        auto response = recording->answer(*what.request);
        if (!response)
          return to_caf(fail(response.error().code,
                             fmt::format("model '{}': {}", model_name, response.error().detail)));
        response->model = model_name;
        if (what.listener)
          self->send(caf::actor_cast<model_listener_actor>(what.listener),
                     model_progress{what.key, std::make_shared<const model_deltas>(to_deltas(*response)), 0});
        return std::move(*response);
      },
      [](cancel_atom, call_key) {},
      [self](status_atom) { return status_of(self); },
  };
}

} // namespace troupe
