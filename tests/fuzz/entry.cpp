#include "tests/fuzz/target.hpp"

#include <cstddef>
#include <cstdint>

// libFuzzer's way in (llvm.org/docs/LibFuzzer.html, "Fuzz target"). What a target throws ends the program.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::fuzz::TROUPE_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
