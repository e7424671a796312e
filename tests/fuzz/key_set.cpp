#include "libagent/auth/key_set.hpp"
#include "tests/fuzz/target.hpp"

namespace troupe::fuzz {

void key_set(std::string_view input) {
  const auto keys = auth::key_set::parse(input);
  if (!keys)
    return;
  expect(keys->size() > 0, "a set without keys is none");
  for (const auto by : {auth::algorithm::rs256, auth::algorithm::es256})
    expect(keys->verify(by, std::nullopt, "text", "signature") != auth::key_set::verdict::good,
           "nothing is signed by chance");
}

} // namespace troupe::fuzz
