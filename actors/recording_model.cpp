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
  const auto line = cassette_line(setup.model_name, request, outcome, *setup.hides) + '\n';
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

recording_model_state::~recording_model_state() {
  for (auto& [number, call] : open_)
    call.promise.deliver(to_caf(
        fail(errc::model_unavailable, fmt::format("model '{}': its recording ended", setup_.model_name))));
}

caf::typed_response_promise<model_response> recording_model_state::call(const model_call& what) {
  auto promise = self_->make_response_promise<model_response>();
  const auto number = ++last_;
  open_.emplace(number, open_call{what.request, promise});
  ask<model_response>(
      self_, setup_.model, defaults::longest_model_call,
      [this, number](model_response& response) { answered(number, std::move(response)); },
      [this, number](const caf::error& reason) { answered(number, model_error(setup_.model_name, reason)); },
      what);
  return promise;
}

void recording_model_state::answered(std::uint64_t number, result<model_response> outcome) {
  if (outcome || outcome.error().code != errc::cancelled)
    write_line(setup_, *open_.at(number).request, outcome);
  auto call = open_.extract(number);
  if (outcome)
    call.mapped().promise.deliver(std::move(*outcome));
  else
    call.mapped().promise.deliver(to_caf(outcome.error()));
}

void recording_model_state::cancel(call_key key) {
  self_->send(setup_.model, cancel_atom::value, key);
}

actor_status recording_model_state::status() const {
  auto status = status_of(self_);
  status.in_flight = open_.size();
  return status;
}

passing_model_actor::behavior_type
recording_model(passing_model_actor::stateful_pointer<recording_model_state> self, recording_setup setup) {
  self->state.begin(std::move(setup));
  return {
      [self](const model_call& what) { return self->state.call(what); },
      [self](cancel_atom, call_key key) { self->state.cancel(key); },
      [self](wire_atom, const model_actor& model) { self->state.pass_to(model); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace troupe
