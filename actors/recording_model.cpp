#include "actors/recording_model.hpp"

#include "actors/ask.hpp"
#include "actors/defaults.hpp"
#include "actors/io/log.hpp"
#include "libagent/model/cassette.hpp"

#include <caf/typed_response_promise.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace troupe {

namespace {

void write_line(const recording_setup& setup, const model_request& request,
                const result<model_response>& outcome) {
  const auto line = cassette_line(setup.model_name, request, outcome, setup.secrets) + '\n';
  if (std::fwrite(line.data(), 1, line.size(), setup.file.get()) != line.size() ||
      std::fflush(setup.file.get()) != 0)
    log().error("model '{}': its cassette cannot be written: {}", setup.model_name, std::strerror(errno));
}

} // namespace

result<cassette_file> open_cassette(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  std::FILE* file = descriptor < 0 ? nullptr : ::fdopen(descriptor, "a");
  if (file == nullptr) {
    const auto why = std::strerror(errno);
    if (descriptor >= 0)
      ::close(descriptor);
    return fail(errc::io_failed, fmt::format("the cassette '{}' cannot be opened: {}", path, why));
  }
  return cassette_file(file, [](std::FILE* open) { std::fclose(open); });
}

model_actor::behavior_type recording_model(model_actor::pointer self, recording_setup setup) {
  const auto kept = std::make_shared<const recording_setup>(std::move(setup));
  return {
      [self, kept](const model_call& what) {
        auto promise = self->make_response_promise<model_response>();
        ask<model_response>(
            self, kept->model, defaults::longest_model_call,
            [kept, promise, request = what.request](model_response& response) mutable {
              result<model_response> outcome = std::move(response);
              write_line(*kept, *request, outcome);
              promise.deliver(std::move(*outcome));
            },
            [kept, promise, request = what.request](const caf::error& reason) mutable {
              const auto why = from_caf(reason);
              if (why.code != errc::cancelled)
                write_line(*kept, *request, why);
              promise.deliver(to_caf(why));
            },
            what);
        return promise;
      },
      [self, kept](cancel_atom, call_key key) { self->send(kept->model, cancel_atom::value, key); },
  };
}

} // namespace troupe
