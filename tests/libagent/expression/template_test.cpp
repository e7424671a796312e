#include "libagent/expression/template.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using Catch::Matchers::Contains;

namespace {

const json scope = {{"context",
                     {{"name", "Ann"},
                      {"n", 3},
                      {"ratio", 0.5},
                      {"list", {1, "b"}},
                      {"o", {{"k", "v"}}},
                      {"yes", true},
                      {"nothing", nullptr},
                      {"odd }} key", "odd"},
                      {"braces", "{{ context.n }}"},
                      {"empty", ""}}}};

struct row {
  std::string text;
  std::string expected;
};

} // namespace

TEST_CASE("templates put values in their gaps") {
  const auto each =
      GENERATE(row{"", ""}, row{"no gap } }} {", "no gap } }} {"}, row{"Hi {{ context.name }}!", "Hi Ann!"},
               row{"{{context.n}}{{context.ratio}}", "30.5"}, row{"{{ context.list }}", R"([1,"b"])"},
               row{"{{ context.o }}", R"({"k":"v"})"}, row{"{{ context.list.1 }}", "b"},
               row{"{{context.yes}}", "true"}, row{"[{{ context.nothing }}{{ nobody.there }}]", "[]"},
               row{"{{ context['odd }} key'] }}", "odd"}, row{"{{ nobody | default 'you' }}", "you"},
               row{"{{ nobody|default \"}}\" }}", "}}"}, row{"{{ context.nothing | default 5 }}", "5"},
               row{"{{ context.name | default 'you' }}", "Ann"}, row{"{{ context.empty | default 'x' }}", ""},
               row{"{{ nobody | default null }}", ""}, row{"{{{{ context.n }}", "{{ context.n }}"},
               row{"{{{{{{context.n}}", "{{3"}, row{"{{\n  context.n\n}}\n", "3\n"},
               row{"{{ context.braces }}", "{{ context.n }}"},
               row{"{\"a\":{\"b\":{{ context.n }}}}", "{\"a\":{\"b\":3}}"});
  CAPTURE(each.text);
  const auto compiled = text_template::compile(each.text);
  REQUIRE(compiled.has_value());
  CHECK(compiled->render(scope).value() == each.expected);
}

TEST_CASE("what is no template is answered with its place") {
  const auto each =
      GENERATE(row{"{{", "column 3: expected a path"}, row{"{{ }}", "column 4: expected a path"},
               row{"a\n\xC3\xA9{{ a b }}", "line 2, column 7: expected '}}', found \"b\""},
               row{"{{ a.b", "column 7: expected '}}', found the end"},
               row{"{{ a | upper }}", "column 8: expected 'default'"},
               row{"{{ a | default }}", "column 16: expected a string, a number, true, false or null"},
               row{"{{ a | default b }}", "column 16: expected a string"},
               row{"{{ 'a' }}", "column 4: expected a path"}, row{"{{ a == b }}", "column 6: expected '}}'"},
               row{"{{\"a\": 1}}", "write \"{{{{\" for two plain braces"},
               row{"{{ a['b }}", "a string without its closing quote"}, row{"\xFF", "not UTF-8"});
  CAPTURE(each.text);
  const auto compiled = text_template::compile(each.text);
  REQUIRE_FALSE(compiled.has_value());
  CHECK(compiled.error().code == errc::invalid_argument);
  CHECK_THAT(compiled.error().detail, Contains(each.expected));
}

TEST_CASE("a template names its roots") {
  const auto compiled = text_template::compile("{{ b.x }}{{ a }}{{{{ c }}{{ b.y | default 'd' }}").value();
  CHECK(compiled.roots() == std::vector<std::string>{"b", "a"});
}

TEST_CASE("the rendered text is bounded") {
  constexpr std::size_t mebibyte = 1u << 20;
  const auto twice = text_template::compile("{{ x }}{{ x }}").value();
  CHECK(twice.render({{"x", std::string(mebibyte / 2, 'a')}}).value().size() == mebibyte);
  const auto over = twice.render({{"x", std::string(mebibyte / 2 + 1, 'a')}});
  REQUIRE_FALSE(over.has_value());
  CHECK(over.error().code == errc::invalid_argument);
  CHECK_FALSE(text_template::compile(std::string(mebibyte + 1, 'a')).has_value());
}
