#include "libagent/auth/token.hpp"
#include "libagent/core/json.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/libagent/auth/token_maker.hpp"

using namespace std::chrono_literals;

namespace troupe::fuzz {

namespace {

struct issuer {
  testing::signer key = testing::signer::ec();
  auth::key_set keys = auth::key_set::parse(testing::key_set_of({key.jwk("e1")})).value();
  config::jwt_options rules{"/keys.json", "https://id.example", {"troupe"}, 60s, "roles", "ops"};
};

} // namespace

void token(std::string_view input) {
  static const issuer house;
  const std::chrono::system_clock::time_point now{1'000'000'000s};
  const auto check = [&](std::string_view text) {
    return auth::check_token(text, house.keys, house.rules, now);
  };
  expect(!std::holds_alternative<auth::token_claims>(check(input)), "nobody else can make a token");
  const auto end = input.find('\n');
  if (end == std::string_view::npos)
    return;
  const auto made = house.key.raw_token(input.substr(0, end), input.substr(end + 1));
  const auto found = check(made);
  const auto* good = std::get_if<auth::token_claims>(&found);
  if (good == nullptr)
    return expect(is_utf8(std::get<auth::token_fault>(found).reason), "a reason is text");
  expect(!good->subject.empty(), "a token is somebody's");
  auto changed = made;
  changed[changed.size() / 2] = changed[changed.size() / 2] == 'A' ? 'B' : 'A';
  expect(!std::holds_alternative<auth::token_claims>(check(changed)), "a changed token is none");
}

} // namespace troupe::fuzz
