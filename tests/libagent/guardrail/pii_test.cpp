#include "support.hpp"

#include <catch2/catch.hpp>

using namespace troupe::guardrail;
using namespace guardrail_test;

TEST_CASE("what a person is reached or billed by is found, and where it begins and ends") {
  const auto* expected = GENERATE(
      // E-mail
      "<email bob@example.com>", "Write to <email bob.o'brien+x_1%@mail.example.co.uk>.",
      "(<email a@b.de>), '<email c@d.org>'", "...<email bob@example.com>...",
      "mailto:<email bob@example.com>?x=1", "email=<email bob@example.com>&b", "<<email bob@example.com>>",
      "<email bob@example.com>-or so", "\xE8\xAF\xB7<email bob@example.com>\xE8\xB0\xA2",
      "<email j\xC3\xBCrgen@example.de>", "<email 10086@163.com>, <email x@xn--bcher-kva.example>",
      "<email x@example.xn--p1ai>",
      // Card
      "<card 4111111111111111>", "pay by <card 4111 1111 1111 1111>, please", "<card 4111-1111-1111-1111>.",
      "<card 378282246310005>", "<card 3782 822463 10005>", "<card 30569309025904>", "<card 4222222222222>",
      "<card 6304000000000000000>", "card:<card 5555555555554444>/exp", "12 <card 4111 1111 1111 1111> 12/27",
      "<card 4111 1111 1111 1111> 2027", "<card 4111 1111 1111 1111>-<card 5555 5555 5555 4444>",
      // Phone
      "<phone +491701234567>", "<phone +49 170 1234567>", "<phone +1 (555) 123-4567>",
      "<phone +1-555-123-4567>", "<phone +44 (0)20 7946 0958>", "<phone +48 123 456 789>",
      "<phone +33 6 12 34 56 78>", "Tel.:<phone +49-30/1234567>.", "<phone (555) 123-4567>",
      "<phone (555)123-4567>", "<phone 555-123-4567>", "<phone 555.123.4567>", "<phone 1-800-555-0199>",
      "<phone 030 1234567>", "<phone 0171/1234567>", "<phone 089-1234-5678>", "<phone (030) 12345678>",
      "<phone 020 7946 0958>", "<phone 06 12 34 56 78>", "<phone 01.23.45.67.89>",
      "<phone 0049 151 12345678>", "<phone 0412 345 678>", "<phone 555-123-4567>, or <phone 555-123-4568>",
      "<phone +1 555 123 4567> 2 times", "<phone +49 151 12345678> <card 4111 1111 1111 1111>",
      // IBAN
      "<iban DE89370400440532013000>", "<iban DE89 3704 0044 0532 0130 00> is it",
      "<iban GB82 WEST 1234 5698 7654 32>", "IBAN:<iban NO9386011117947>",
      "<iban FR1420041010050500013M02606>", "<iban de89370400440532013000>",
      "<iban MT84MALT011000012345MTLCAST001S>", "<iban BE68 5390 0754 7034>.");
  CHECK(marked(unmarked(expected)) == expected);
}

TEST_CASE("what only looks like it is left alone") {
  const auto* text = GENERATE(
      // E-mail
      "bob@example", "@example.com", "bob@", "bob@.com", "bob@example.c", "x@y@example.com",
      "bob.@example.com", "pkg@1.2.3", "left-pad@1.3.0-beta.2", "icon@2x.png", "bob@-example.com",
      "bob@10.0.0.1", "a @ b.com", "@media screen", "bob@example.com2", "bob@exa_mple.com",
      // Digits: wrong check digit, too few, too many, parts of something else
      "4111111111111112", "4111 1111 1111 1112", "411111111111", "41111111111111111111", "x4111111111111111",
      "4111111111111111x", "0.4111111111111111", "4111111111111111.5", "0000000000000000", "1700000000000",
      "1234567890123", "1234 4111 1111 1111 1111", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
      "2024-01-15-12-30-45-99",
      // Dates, times, versions, prices, addresses, identifiers, code
      "2024-01-15", "15.01.2024", "01/15/2024", "01-02-2024 12:30", "2024-01-15T12:30:45.123Z",
      "2024-01-15T12:30+0200", "1.2.3", "v10.15.7-rc.1", "192.168.100.200", "10.0.0.1:8080",
      "2001:db8::8a2e:370:7334", "1.234.567,89 EUR", "$1,234,567.89", "+1.234.567", "+12 345 678",
      "+12345678.50", "+12345678%", "x+4915112345679", "550e8400-e29b-41d4-a716-446655440000",
      "12345678-1234-1234-1234-123456789012", "d41d8cd98f00b204e9800998ecf8427e", "9780306406157",
      "978-3-16-148410-0", "0-306-40615-2", "123-45-6789", "02134-1234", "03/2024-00123", "order 12345678",
      "#555-123-4567", "212-555-1234-99", "99-212-555-1234", "0123456789", "00491511234567", "+0151234567",
      "+1234567", "+1234567890123456", "+1 555 123 456", "200 300 4000", "01 02 03 04 05 06",
      "int x = 1000000007 + 998244353;", "f(212) 555-1234", "0x1234567890ABCDEF", "port 5555-5556",
      "3.14159265358979", "12:34:56 789",
      // IBANs with a wrong check digit, length, country or neighbour
      "DE88370400440532013000", "DE8937040044053201300", "DE893704004405320130000", "XX89370400440532013000",
      "ADE89370400440532013000", "DE89 37040 0440 5320 1300 0", "GB82 WEST 1234 5698 7654 3",
      "AT12 people came");
  CHECK(marked(text) == text);
}

TEST_CASE("only the entities that were asked for are found") {
  const std::string all =
      "a@example.com 4111111111111111 +491701234567 DE89370400440532013000 ghp_" + std::string(36, 'a') + "1";
  CHECK(find_pii(all, {}).empty());
  CHECK(find_pii(all, pii_rule().entities).size() == 5);
  for (const auto what : pii_rule().entities) {
    const auto found = find_pii(all, {what});
    REQUIRE(found.size() == 1);
    CHECK(found.front().what == what);
    CHECK(entity_from_string(to_string(what)) == what);
  }
  CHECK_FALSE(entity_from_string("name").has_value());
}

TEST_CASE("of finds that overlap the leftmost counts, of these the longest, and no half is left") {
  CHECK(marked("+4915112345678@example.com") == "<phone +4915112345678@example.com>");
  CHECK(marked("token: bob17@example.com/Xy1!") == "token: <key bob17@example.com/Xy1!>");
  CHECK(marked("a@example.com") == "<email a@example.com>");
}

TEST_CASE("a number cut off at any end is found whole or not at all") {
  const std::string card = "4111 1111 1111 1111";
  for (std::size_t end = 1; end < card.size(); ++end)
    CHECK(marked(card.substr(0, end), {entity::card, entity::iban, entity::email}) == card.substr(0, end));
}
