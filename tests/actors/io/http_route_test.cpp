#include "actors/io/http_url.hpp"
#include "actors/io/proxy.hpp"
#include "tests/actors/io/certificates.hpp"
#include "tests/actors/io/http_fixture.hpp"
#include "tests/actors/io/tcp_server.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>

using namespace troupe;
using namespace troupe::test;
using namespace std::chrono_literals;

namespace {

/// Serves TLS with these certificates, after a CONNECT if `as_proxy`.
std::function<void(peer&)> serve_tls(const certificates& certificate,
                                     std::promise<std::string>* connect = nullptr) {
  return [&certificate, connect](peer& client) {
    if (connect != nullptr) {
      connect->set_value(*client.read_request());
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    }
    auto context = certificate.server_context();
    if (!client.start_tls(context))
      return;
    while (client.read_request())
      client.write(ok_answer("secret"));
  };
}

} // namespace

TEST_CASE("TLS with a trusted certificate for the host works, and the connection is kept") {
  const auto [alternative, host] = GENERATE(
      table<std::string, std::string>({{"DNS:localhost", "localhost"}, {"IP:127.0.0.1", "127.0.0.1"}}));
  certificates certificate(alternative);
  tcp_server server(serve_tls(certificate));
  http_fixture http;
  http.open({.base_url = server.url("https", host), .ca_file = certificate.ca_file()});
  CHECK(http.ask(std::string(1 << 20, 'x')).answer->body == "secret");
  CHECK(http.ask().answer->body == "secret");
  CHECK(server.accepted() == 1);
}

TEST_CASE("TLS with a certificate of an unknown authority fails") {
  certificates certificate("DNS:localhost");
  tcp_server server(serve_tls(certificate));
  http_fixture http;
  http.open_at(server.url("https", "localhost"));
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK_THAT(got.failure.reason.detail, Catch::StartsWith("TLS: certificate verify failed ("));
}

TEST_CASE("TLS with a certificate for another host fails") {
  certificates certificate("DNS:example.org");
  tcp_server server(serve_tls(certificate));
  auto host = GENERATE("localhost", "127.0.0.1");
  http_fixture http;
  http.open({.base_url = server.url("https", host), .ca_file = certificate.ca_file()});
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK_THAT(got.failure.reason.detail, Catch::Contains("mismatch"));
}

TEST_CASE("a peer that speaks no TLS is told from one that does") {
  tcp_server server([](peer& client) {
    client.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    client.client_closes();
  });
  http_fixture http;
  http.open_at(server.url("https"));
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK_THAT(got.failure.reason.detail, Catch::StartsWith("TLS: "));
}

TEST_CASE("TLS that is cut off does not end an answer") {
  certificates certificate("DNS:localhost");
  tcp_server server([&](peer& client) {
    auto context = certificate.server_context();
    client.start_tls(context);
    client.read_request();
    client.write("HTTP/1.1 200 OK\r\n\r\nfirst half");
  });
  http_fixture http;
  http.open({.base_url = server.url("https", "localhost"), .ca_file = certificate.ca_file()});
  auto got = http.ask();
  CHECK_FALSE(got.answer);
  CHECK(got.failure.connection_error);
}

TEST_CASE("a handshake that takes too long is a connect timeout") {
  tcp_server server([](peer& client) { client.client_closes(); });
  http_fixture http;
  http.open({.base_url = server.url("https"), .connect_timeout = 50ms});
  auto got = http.ask();
  CHECK(got.failure.connection_error);
  CHECK(got.failure.reason == error{errc::io_failed, "no connection to 127.0.0.1:" +
                                                         std::to_string(server.port()) + " within 0.05 s"});
}

TEST_CASE("a proxy is asked for a tunnel, with its credentials") {
  certificates certificate("DNS:origin.test");
  std::promise<std::string> connect;
  tcp_server server(serve_tls(certificate, &connect));
  http_fixture http;
  http.open({.base_url = "https://origin.test/v1",
             .https_proxy = "http://us%40er:pa%3Ass@127.0.0.1:" + std::to_string(server.port()) + "/",
             .ca_file = certificate.ca_file()});
  CHECK(http.ask().answer->body == "secret");
  CHECK(http.ask().answer->body == "secret");
  CHECK(await(connect) == "CONNECT origin.test:443 HTTP/1.1\r\nHost: origin.test:443\r\n"
                          "Proxy-Authorization: Basic dXNAZXI6cGE6c3M=\r\n\r\n");
}

TEST_CASE("a plain origin is reached through a tunnel too") {
  std::promise<std::string> connect;
  tcp_server server([&](peer& client) {
    connect.set_value(*client.read_request());
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    client.write(ok_answer(*client.read_request()));
    client.client_closes();
  });
  http_fixture http;
  http.open({.base_url = "http://[::1]:8080", .http_proxy = "127.0.0.1:" + std::to_string(server.port())});
  CHECK(http.ask().answer->body == "POST /x HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 0\r\n\r\n");
  CHECK(await(connect) == "CONNECT [::1]:8080 HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n");
}

TEST_CASE("a proxy that refuses is named, with its status") {
  tcp_server server([](peer& client) {
    client.read_request();
    client.write("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nno!");
    client.client_closes();
  });
  const auto port = std::to_string(server.port());
  http_fixture http;
  http.open({.base_url = "https://origin.test", .https_proxy = "http://u:geheim@127.0.0.1:" + port});
  CHECK(http.ask().failure.reason.detail ==
        "proxy 127.0.0.1:" + port + " refused CONNECT to origin.test:443 with status 407");
}

TEST_CASE("a request can be cancelled while its connection is being opened") {
  std::promise<void> asked;
  std::promise<bool> closed;
  tcp_server server([&](peer& client) {
    client.read_request();
    asked.set_value();
    closed.set_value(client.client_closes());
  });
  http_fixture http;
  http.open({.base_url = "https://origin.test", .https_proxy = "127.0.0.1:" + std::to_string(server.port())});
  auto [id, outcome] = http.send({});
  await(asked);
  http.client->cancel(id);
  CHECK(await(outcome).failure.reason.code == errc::cancelled);
  CHECK(await(closed));
}

TEST_CASE("NO_PROXY names what is reached directly") {
  struct row {
    const char* list;
    const char* host;
    std::uint16_t port;
    bool direct;
  };
  auto [list, host, port, direct] = GENERATE(values<row>({
      {"", "example.com", 443, false},
      {"*", "example.com", 443, true},
      {"example.com", "example.com", 443, true},
      {"example.com", "api.example.com", 443, true},
      {"example.com", "notexample.com", 443, false},
      {"example.com", "example.com.evil.test", 443, false},
      {".example.com", "api.example.com", 443, true},
      {".example.com", "example.com", 443, true},
      {"*.example.com", "api.example.com", 443, true},
      {"EXAMPLE.com", "example.com", 443, true},
      {"a.test, example.com ,b.test", "example.com", 443, true},
      {"a.test,,b.test", "example.com", 443, false},
      {"example.com:8080", "example.com", 8080, true},
      {"example.com:8080", "api.example.com", 443, false},
      {"127.0.0.1", "127.0.0.1", 80, true},
      {"127.0.0.1:80", "127.0.0.1", 81, false},
      {"0.0.1", "127.0.0.1", 80, false},
      {"10.0.0.0/8", "10.1.2.3", 80, true},
      {"10.0.0.0/8", "11.1.2.3", 80, false},
      {"::1", "::1", 80, true},
      {"[::1]:8080", "::1", 8080, true},
      {"[::1]:8080", "::1", 80, false},
      {"0:0::1", "::1", 80, true},
      {"fd00::/8", "fd12::1", 80, true},
      {"localhost", "127.0.0.1", 80, false},
  }));
  CAPTURE(list, host, port);
  CHECK(io::bypasses_proxy(list, host, port) == direct);
}

TEST_CASE("the scheme chooses the proxy") {
  const io::http_client_options options{
      .https_proxy = "http://s.test:1", .http_proxy = "p.test", .no_proxy = "no.test"};
  auto chosen = [&](const char* url) {
    auto selected = io::select_proxy(options, *io::parse_http_url(url));
    return *selected ? io::host_and_port((*selected)->host, (*selected)->port) : "";
  };
  CHECK(chosen("https://a.test") == "s.test:1");
  CHECK(chosen("http://a.test") == "p.test:80");
  CHECK(chosen("https://no.test") == "");
}

TEST_CASE("a proxy of another kind is an error that keeps its secret") {
  auto made =
      io::parse_proxy(GENERATE("socks5://u:geheim@h:1", "https://u:geheim@h:1", "http://u:geheim@h:x"));
  REQUIRE(made.has_error());
  CHECK(made.error().code == errc::invalid_argument);
  CHECK_THAT(made.error().detail, !Catch::Contains("geheim"));
}

TEST_CASE("proxies are read from the environment, in either case") {
  ::setenv("HTTPS_PROXY", "http://upper:1", 1);
  ::setenv("http_proxy", "http://lower:1", 1);
  ::setenv("no_proxy", "", 1);
  ::setenv("NO_PROXY", "a.test", 1);
  io::http_client_options options;
  io::read_proxy_environment(options);
  CHECK(options.https_proxy == "http://upper:1");
  CHECK(options.http_proxy == "http://lower:1");
  CHECK(options.no_proxy == "a.test");
  for (const auto* name : {"HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY"})
    ::unsetenv(name);
}

TEST_CASE("a base URL is taken apart") {
  struct row {
    const char* text;
    const char* host;
    std::uint16_t port;
    const char* path;
    const char* header;
  };
  auto [text, host, port, path, header] = GENERATE(values<row>({
      {"https://api.example.com/v1", "api.example.com", 443, "/v1", "api.example.com"},
      {"HTTP://Example.COM/", "example.com", 80, "", "example.com"},
      {"http://h:8080/a/b//", "h", 8080, "/a/b", "h:8080"},
      {"https://h:80", "h", 80, "", "h:80"},
      {"http://[::1]", "::1", 80, "", "[::1]"},
      {"http://[::1]:81/x", "::1", 81, "/x", "[::1]:81"},
  }));
  auto url = io::parse_http_url(text);
  REQUIRE(url.has_value());
  CHECK(url->host == host);
  CHECK(url->port == port);
  CHECK(url->path == path);
  CHECK(io::host_header(*url) == header);
}

TEST_CASE("a base URL that cannot be used is refused") {
  io::reactor reactor;
  auto made = io::http_client::make(
      reactor,
      {.base_url = GENERATE("", "example.com", "ftp://h", "http://", "http://:80", "http://h:0", "http://h:x",
                            "http://h:65536", "http://u:geheim@h", "http://h/p?q", "http://h#f",
                            "http://h/a b", "http://[::1", "http://[x]", "http://[::1]x", "http://a b")});
  REQUIRE(made.has_error());
  CHECK(made.error().code == errc::invalid_argument);
  CHECK_THAT(made.error().detail, !Catch::Contains("geheim"));
}
