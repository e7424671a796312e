#include "apps/troupe/text.hpp"

#include "apps/troupe/hidden_secrets.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace troupe::cli;

TEST_CASE("printable text keeps letters of all alphabets, newlines and tabs") {
  CHECK(printable("grüße\t日本\n🙂") == "grüße\t日本\n🙂");
}

TEST_CASE("printable text has no control characters, one byte or two") {
  CHECK(printable("a\x1b[31mb\x07\rc\x7f") == "a[31mbc");
  CHECK(printable("a\xC2\x9B"
                  "31mb\xC2\x80\xC2\x9F") == "a31mb");
  CHECK(printable("\xC2\xA0") == "\xC2\xA0");
}

TEST_CASE("printable text is UTF-8 whatever the bytes were") {
  CHECK(printable("a\xFF"
                  "b\xC2") == "a\xEF\xBF\xBD"
                              "b\xEF\xBF\xBD");
}

TEST_CASE("one line has single spaces and no ends of blank") {
  CHECK(one_line(" a \n\n b\t\tc \n", 100) == "a b c");
}

TEST_CASE("a long line is cut at a character, and shows it") {
  CHECK(one_line("äöüß", 4) == "äöüß");
  CHECK(one_line("äöüßx", 4) == "äöü…");
  CHECK(character_count(one_line(std::string(100'000, 'x'), 120)) == 120);
}

TEST_CASE("control characters are escaped for logs, which stay on one line") {
  CHECK(escape_controls("a\nb\x1b[0m\r\xC2\x9B") == "a\\nb\\x1b[0m\\x0d\\x9b");
  CHECK(escape_controls("tab\tgrüße") == "tab\tgrüße");
}

TEST_CASE("nothing hides in JSON that people are to agree to") {
  const auto hidden = std::string("a\x1b\x7f\xC2\x9B\u202E\u200B\u2066\uFEFFz");
  CHECK(visible_json(hidden, -1) == R"("a\u001b\u007f\u009b\u202e\u200b\u2066\ufeffz")");
  CHECK(troupe::json::parse(visible_json(hidden, -1)) == troupe::json(hidden));
  CHECK(visible_json({{"grüße", "日本 🙂"}}, -1) == R"({"grüße":"日本 🙂"})");
  CHECK(visible_json({{"a", 1}}, 2) == "{\n  \"a\": 1\n}");
  CHECK(visible_json("\xFF", -1) == "\"\uFFFD\"");
}

TEST_CASE("characters that turn the direction of writing are left out, and escaped for logs") {
  const std::string turned = "a\u202Eb\u2066c\u2069\u202Ad";
  CHECK(printable(turned) == "abcd");
  CHECK(one_line(turned, 80) == "abcd");
  CHECK(escape_controls(turned) == "a\\u202eb\\u2066c\\u2069\\u202ad");
  // Their neighbours are letters' and of use: dashes, quotes, joiners.
  const std::string kept = "\u2013 \u201Cx\u201D \u2026 \u200D";
  CHECK(printable(kept) == kept);
  CHECK(escape_controls(kept) == kept);
}

TEST_CASE("a secret is hidden before a line is cut") {
  hide_secrets(std::make_shared<const redactor>(std::vector{secret{"0123456789"}}));
  CHECK(one_line("x 0123456789 and more", 8) == "x [reda…");
  CHECK(one_line("x 012345678", 8) == "x 01234…");
  hide_secrets(nothing_to_hide());
}
