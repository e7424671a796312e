#include "actors/http/wire.hpp"

#include "actors/http/defaults.hpp"
#include "actors/http/guarded_socket.hpp"

#include <http_parser.h>

namespace troupe::http {

namespace {

/// Stands in for `http_parser_execute` in RESTinio's connection. RESTinio closes a connection without an
/// answer when its parser fails. Here a request that cannot be parsed becomes one that is complete but has a
/// fault (`connection::current_fault`), so that it is answered like any other, in its turn. Requests to
/// upgrade the protocol become ordinary ones (RFC 9110, section 7.8).
std::size_t parse_guarded(http_parser* parser, const http_parser_settings* settings, const char* data,
                          std::size_t length);

} // namespace

} // namespace troupe::http

// RESTinio calls the function by this name and has no setting for it. Only `connection_t` does, whose
// instance with our traits exists in this translation unit alone.
#define RESTINIO_USE_BOOST_ASIO 1
#define http_parser_execute ::troupe::http::parse_guarded
#include <restinio/null_logger.hpp>
#include <restinio/null_timer_manager.hpp>
#include <restinio/settings.hpp>
#include <restinio/traits.hpp>
// Not complete by itself: comes after the others.
#include <restinio/impl/connection.hpp>
#undef http_parser_execute

namespace troupe::http {

namespace {

using restinio::impl::http_parser_ctx_t;

fault fault_of(http_errno code) noexcept {
  switch (code) {
  // RESTinio's callbacks fail only at its limits.
  case HPE_CB_headers_complete:
  case HPE_CB_body:
    return fault::body_too_large;
  case HPE_CB_url:
    return fault::target_too_long;
  case HPE_CB_header_field:
  case HPE_CB_header_value:
  case HPE_HEADER_OVERFLOW:
    return fault::headers_too_large;
  default:
    return fault::bad_request;
  }
}

void complete_with_fault(http_parser& parser, http_parser_ctx_t& message) {
  message.m_message_complete = true;
  message.m_header.should_keep_alive(false);
  message.m_body.clear();
  parser.upgrade = 0;
  parser.http_errno = HPE_PAUSED;
}

/// The only coding that is understood (RFC 9112, section 6.1). The parser looks at the last one alone.
bool is_chunked_alone(std::string_view coding) {
  coding = coding.substr(0, coding.find_last_not_of(" \t") + 1);
  return restinio::impl::is_equal_caseless(restinio::string_view_t(coding.data(), coding.size()), "chunked");
}

/// Refuses what the parser lets pass. HTTP/0.9 and the preface of HTTP/2 are no requests here. A blank before
/// a colon, and chunks in HTTP/1.0, are ways to tell two servers in a row different things (RFC 9112,
/// sections 5.1 and 6.1).
bool is_framed_well(const http_parser& parser, const http_parser_ctx_t& message) {
  if (parser.http_major != 1)
    return false;
  bool is_well = true;
  unsigned codings = 0;
  message.m_header.for_each_field([&](const restinio::http_header_field_t& field) {
    is_well = is_well && field.name().find(' ') == std::string::npos;
    if (field.field_id() == restinio::http_field::transfer_encoding)
      is_well = is_well && ++codings == 1 && is_chunked_alone(field.value());
  });
  return is_well && (codings == 0 || parser.http_minor > 0);
}

single_header* place_of(visitor& from, const restinio::http_header_field_t& field) {
  switch (field.field_id()) {
  case restinio::http_field::host:
    return &from.host;
  case restinio::http_field::authorization:
    return &from.authorization;
  case restinio::http_field::access_control_request_method:
    return &from.asked_method;
  default:
    break;
  }
  if (restinio::impl::is_equal_caseless(field.name(), "origin"))
    return &from.origin;
  return restinio::impl::is_equal_caseless(field.name(), "x-api-key") ? &from.api_key : nullptr;
}

visitor visitor_of(const restinio::http_request_header_t& header, std::string_view method,
                   bool may_lack_host) {
  visitor found{method, header.request_target()};
  found.may_lack_host = may_lack_host;
  header.for_each_field([&found](const restinio::http_header_field_t& field) {
    if (auto* place = place_of(found, field); place != nullptr && ++place->count == 1)
      place->value = field.value();
  });
  return found;
}

/// Whether the request, whose head has come, is refused without waiting for its body.
bool is_refused(connection& reader, const http_parser& parser, http_parser_ctx_t& message) {
  const auto method = static_cast<http_method>(parser.method);
  const bool is_old = parser.http_major == 1 && parser.http_minor == 0;
  if (!reader.refuses_body(visitor_of(message.m_header, http_method_str(method), is_old)))
    return false;
  // What RESTinio sets at the end of a message.
  message.m_header.method(restinio::default_http_methods_t::from_nodejs(method));
  message.m_header.http_major(parser.http_major);
  message.m_header.http_minor(parser.http_minor);
  return true;
}

std::size_t parse_guarded(http_parser* parser, const http_parser_settings* settings, const char* data,
                          std::size_t length) {
  auto& message = *static_cast<http_parser_ctx_t*>(parser->data);
  auto& reader = *connection::current();
  const bool had_headers = message.m_leading_headers_completed;
  const auto parsed = ::http_parser_execute(parser, settings, data, length);
  // Where each chunk began, 16 bytes for each of one byte. Nobody asks for it.
  message.m_chunked_info_block.m_chunks = std::vector<restinio::chunk_info_t>();
  if (const auto code = HTTP_PARSER_ERRNO(parser); code != HPE_OK && code != HPE_PAUSED) {
    complete_with_fault(*parser, message);
    reader.request_begins(fault_of(code));
    return length;
  }
  if (message.m_message_complete && !is_framed_well(*parser, message)) {
    complete_with_fault(*parser, message);
    reader.request_begins(fault::bad_request);
    return length;
  }
  if (message.m_message_complete) {
    if (parser->upgrade != 0)
      message.m_header.should_keep_alive(http_should_keep_alive(parser) != 0);
    parser->upgrade = 0;
    // RESTinio does not pass the version on.
    message.m_header.http_major(parser->http_major);
    message.m_header.http_minor(parser->http_minor);
    reader.request_begins(fault::none);
  } else if (message.m_leading_headers_completed) {
    if (!had_headers && is_refused(reader, *parser, message)) {
      complete_with_fault(*parser, message);
      reader.request_begins(fault::refused);
      return length;
    }
    if (!had_headers && message.m_header.has_field(restinio::http_field::expect))
      reader.invite_body();
    reader.reading(connection::phase::body);
  } else if (parser->nread > 0) {
    reader.reading(connection::phase::header);
  }
  return parsed;
}

class restinio_exchange : public exchange {
public:
  explicit restinio_exchange(restinio::request_handle_t request)
      : request_(std::move(request)), owner_(connection::current()->shared_from_this()),
        problem_(owner_->current_fault()), refusal_(owner_->take_refusal()) {
    // RFC 9110, section 5.3: lines of one name are one list.
    request_->header().for_each_value_of(restinio::http_field::accept, [this](auto value) {
      accept_ += accept_.empty() ? "" : ", ";
      accept_.append(value.data(), value.size());
      return restinio::http_header_fields_t::continue_enumeration();
    });
  }

  request_view request() const override {
    const auto& header = request_->header();
    request_view view{header.method().c_str(), header.request_target(), {}, request_->body()};
    if (const auto type = header.opt_value_of(restinio::http_field::content_type))
      view.content_type = std::string_view(type->data(), type->size());
    if (!accept_.empty())
      view.accept = accept_;
    view.idempotency_key = value_of("Idempotency-Key");
    view.last_event_id = value_of("Last-Event-ID");
    for (const std::string_view name : {"Content-Type", "Idempotency-Key", "Last-Event-ID"})
      if (count_of(name) > 1)
        view.twice = name;
    return view;
  }

  visitor from() const override {
    const auto& header = request_->header();
    return visitor_of(header, header.method().c_str(), !takes_chunks());
  }

  bool keep_alive() const override { return request_->header().should_keep_alive(); }

  fault problem() const override { return problem_; }

  std::optional<answer> take_refusal() override { return std::exchange(refusal_, std::nullopt); }

  void write(std::string head, std::string body, bool keep_alive) override {
    restinio::writable_items_container_t items;
    items.emplace_back(std::move(head));
    if (!body.empty())
      items.emplace_back(std::move(body));
    write_final(std::move(items), keep_alive);
  }

  bool takes_chunks() const override {
    const auto& header = request_->header();
    return header.http_major() > 1 || (header.http_major() == 1 && header.http_minor() > 0);
  }

  bool client_has_ended() const override { return owner_->has_ended(); }

  void when_closed(std::function<void()> task) override { owner_->when_closed(std::move(task)); }

  void when_ended(std::function<void()> task) override { owner_->when_ended(std::move(task)); }

  void write_part(std::vector<std::string> pieces, std::function<void(bool)> written) override {
    restinio::write_group_t group(to_items(std::move(pieces)));
    group.after_write_notificator([on_end = std::move(written)](const auto& failed) { on_end(!failed); });
    hand_over(restinio::response_parts_attr_t::not_final_parts, true, std::move(group));
  }

  void write_last(std::vector<std::string> pieces, bool keep_alive) override {
    write_final(to_items(std::move(pieces)), keep_alive);
  }

private:
  static restinio::writable_items_container_t to_items(std::vector<std::string> pieces) {
    restinio::writable_items_container_t items;
    for (auto& piece : pieces)
      if (!piece.empty())
        items.emplace_back(std::move(piece));
    return items;
  }

  void write_final(restinio::writable_items_container_t items, bool keep_alive) {
    restinio::write_group_t group(std::move(items));
    // Called also when the connection is gone: then with an error, at the latest by the group's destructor.
    group.after_write_notificator([owner = owner_](const auto&) { owner->request_ends(); });
    hand_over(restinio::response_parts_attr_t::final_parts, keep_alive, std::move(group));
  }

  void hand_over(restinio::response_parts_attr_t parts, bool keep_alive, restinio::write_group_t group) {
    const restinio::response_output_flags_t flags{parts, restinio::response_connection_attr(keep_alive)};
    restinio::impl::access_req_connection(*request_)->write_response_parts(request_->request_id(), flags,
                                                                           std::move(group));
  }

  /// The first line of that name.
  std::optional<std::string_view> value_of(std::string_view name) const {
    const auto value = request_->header().opt_value_of(restinio::string_view_t(name.data(), name.size()));
    return value ? std::optional(std::string_view(value->data(), value->size())) : std::nullopt;
  }

  std::size_t count_of(std::string_view name) const {
    std::size_t count = 0;
    request_->header().for_each_value_of(restinio::string_view_t(name.data(), name.size()), [&count](auto) {
      ++count;
      return restinio::http_header_fields_t::continue_enumeration();
    });
    return count;
  }

  restinio::request_handle_t request_;
  std::shared_ptr<connection> owner_;
  fault problem_;
  std::optional<answer> refusal_;
  /// All that the header has, separated by commas.
  std::string accept_;
};

/// What RESTinio calls for each request.
class exchange_maker {
public:
  explicit exchange_maker(wire::request_handler on_request) : on_request_(std::move(on_request)) {}

  restinio::request_handling_status_t operator()(restinio::request_handle_t request) const {
    auto& owner = *connection::current();
    auto arrived = std::make_shared<restinio_exchange>(std::move(request));
    // After a write RESTinio goes on with a request that had to wait, and does not expect an answer to it,
    // not one that closes the connection at least, before it is back. What arrived keeps this object alive.
    if (owner.in_write_event())
      owner.run_later([this, arrived] { on_request_(arrived); });
    else
      on_request_(arrived);
    return restinio::request_accepted();
  }

private:
  wire::request_handler on_request_;
};

/// There is one thread, so no strand; timeouts are in `connection`.
using traits = restinio::traits_t<restinio::null_timer_manager_t, restinio::null_logger_t, exchange_maker,
                                  restinio::noop_strand_t, guarded_socket>;

using settings_handle = restinio::impl::connection_settings_handle_t<traits>;

settings_handle make_settings(std::size_t max_body_bytes, wire::request_handler on_request) {
  restinio::server_settings_t<traits> settings;
  settings.request_handler(std::move(on_request))
      .buffer_size(defaults::read_buffer_bytes)
      .max_pipelined_requests(defaults::max_pipelined_requests)
      .incoming_http_msg_limits(restinio::incoming_http_msg_limits_t()
                                    .max_url_size(defaults::max_target_bytes)
                                    .max_field_count(defaults::max_header_fields)
                                    .max_field_name_size(defaults::max_header_name_bytes)
                                    .max_field_value_size(defaults::max_header_value_bytes)
                                    .max_body_size(max_body_bytes));
  return std::make_shared<restinio::impl::connection_settings_t<traits>>(
      std::move(settings), restinio::impl::create_parser_settings<traits::http_methods_mapper_t>(),
      std::make_shared<restinio::null_timer_manager_t>());
}

class restinio_wire : public wire {
public:
  restinio_wire(std::size_t max_body_bytes, request_handler on_request)
      : settings_(make_settings(max_body_bytes, std::move(on_request))) {}

  void serve(boost::asio::ip::tcp::socket accepted, std::shared_ptr<boost::asio::ssl::context> tls,
             std::shared_ptr<connection> owner) override {
    boost::system::error_code failed;
    const auto client = accepted.remote_endpoint(failed);
    if (failed)
      return;
    // No limiter behind the monitor, so there is nothing to be told.
    using monitor = restinio::connection_count_limit_types<traits>::lifetime_monitor_t;
    std::make_shared<restinio::impl::connection_t<traits>>(
        ++last_id_, guarded_socket(std::move(accepted), std::move(tls), std::move(owner)), settings_, client,
        monitor(nullptr))
        ->init();
  }

private:
  settings_handle settings_;
  restinio::connection_id_t last_id_ = 0;
};

} // namespace

std::unique_ptr<wire> wire::make(std::size_t max_body_bytes, request_handler on_request) {
  return std::make_unique<restinio_wire>(max_body_bytes, std::move(on_request));
}

} // namespace troupe::http
