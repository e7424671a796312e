#include "libagent/config/blocks.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace troupe::config {

namespace {

/// Reports a file that cannot be read. What is in it is looked at when the server starts.
void check_file(context& ctx, const std::string& path, std::string_view what,
                const std::filesystem::path& file) {
  const auto found = ctx.where.find(path);
  if (found == ctx.where.end() || found->second.broken)
    return;
  auto code = std::error_code{};
  errno = 0;
  const std::ifstream stream(file, std::ios::binary);
  const auto* why = std::filesystem::is_directory(file, code) ? "it is a folder"
                    : stream                                  ? nullptr
                                                              : std::strerror(errno != 0 ? errno : EIO);
  if (why != nullptr)
    ctx.fail(found->second.at,
             fmt::format("{} names a file that cannot be read{}: {}; name one that can", what,
                         found->second.literal ? " (" + file.string() + ")" : "", why));
}

} // namespace

void check_server_files(context& ctx, const server_options& server) {
  if (server.tls) {
    check_file(ctx, "server/tls/certificate", "'certificate' in tls", server.tls->certificate);
    check_file(ctx, "server/tls/key", "'key' in tls", server.tls->key);
  }
  const auto& jwt = server.auth.jwt;
  if (jwt && !jwt->jwks.empty() && !jwt->jwks.starts_with("http://") && !jwt->jwks.starts_with("https://"))
    check_file(ctx, "server/auth/jwt/jwks", "'jwks' in jwt", jwt->jwks);
}

} // namespace troupe::config
