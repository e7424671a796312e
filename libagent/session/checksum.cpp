#include "libagent/session/checksum.hpp"

#include <boost/crc.hpp>

namespace troupe {

std::uint32_t record_checksum(std::string_view run_id, std::int64_t place, std::string_view text) noexcept {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
  sum.process_bytes(run_id.data(), run_id.size());
  // The same on every machine.
  for (int shift = 0; shift < 64; shift += 8)
    sum.process_byte(static_cast<unsigned char>(static_cast<std::uint64_t>(place) >> shift));
  sum.process_bytes(text.data(), text.size());
  return sum.checksum();
}

} // namespace troupe
