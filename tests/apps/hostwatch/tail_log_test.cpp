#include "apps/hostwatch/log_files.hpp"
#include "tests/apps/hostwatch/hostwatch_fixture.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace troupe;
using namespace troupe::hostwatch;
using namespace troupe::hostwatch::testing;
namespace fs = std::filesystem;

namespace {

/// A tree with logs that may be read and a secret that may not.
struct log_tree {
  log_tree() {
    app = tree.write("logs/app.log", "one\ntwo\nthree\n");
    tree.write("logs/sub/deep.log", "deep\n");
    secret = tree.write("secret/passwords", "hidden\n");
    tree.write("logs-not/near.log", "near\n");
  }
  std::string logs() const { return (tree.path() / "logs").string(); }
  void link(const fs::path& target, const std::string& name) const {
    fs::create_symlink(target, tree.path() / "logs" / name);
  }

  temporary_directory tree;
  std::string app;
  std::string secret;
};

} // namespace

TEST_CASE("the last lines of a text") {
  const auto text = [](std::string given, std::size_t lines) {
    return last_lines(std::move(given), lines).text;
  };
  CHECK(text("a\nb\nc\n", 2) == "b\nc");
  CHECK(text("a\nb\nc", 2) == "b\nc");
  CHECK(text("a\nb\nc\n", 9) == "a\nb\nc");
  CHECK(text("a\n\n", 1).empty());
  CHECK(text("\n\n", 2) == "\n");
  CHECK(last_lines("", 5).line_count == 0);
  CHECK(last_lines("\n", 5).line_count == 1);
  CHECK(last_lines("a\nb\nc\n", 2).line_count == 2);
  CHECK(last_lines("a\nb\nc\n", 9).line_count == 3);
}

TEST_CASE("a log is read by its absolute path or relative to its directory") {
  log_tree tree;
  running_hostwatch host({tree.logs() + "/"});
  for (const auto& path :
       {tree.app, std::string("app.log"), std::string("./app.log"), tree.logs() + "//app.log"}) {
    CAPTURE(path);
    const auto given = host.figures("tail_log", {{"path", path}, {"lines", 2}});
    CHECK(given["text"] == "two\nthree");
    CHECK(given["line_count"] == 2);
    CHECK(given["path"] == tree.app);
    CHECK(given["size_bytes"] == 14);
    CHECK(given["truncated"] == false);
  }
  CHECK(host.figures("tail_log", {{"path", "sub/deep.log"}})["text"] == "deep");
}

TEST_CASE("a path that leaves the log directories is refused, and tells nothing of what is there") {
  log_tree tree;
  running_hostwatch host({tree.logs()});
  for (const auto& path :
       {tree.secret, std::string("/etc/passwd"), std::string("/etc/no-such-file"),
        std::string("../secret/passwords"), tree.logs() + "/../secret/passwords",
        std::string("sub/../../secret/passwords"), std::string(".."), std::string("sub/../app.log"),
        tree.tree.path().string() + "/logs-not/near.log", std::string("/"), std::string("//etc/passwd"),
        std::string("/proc/self/environ"), std::string(), std::string("app.log\0x", 9)}) {
    CAPTURE(path);
    const auto reason = host.refusal("tail_log", {{"path", path}});
    CHECK_THAT(reason, !Catch::Contains("hidden") && !Catch::Contains("No such file"));
  }
}

TEST_CASE("links inside the log directories are followed, links out of them are refused") {
  log_tree tree;
  tree.link(tree.app, "inside-absolute");
  tree.link("sub/deep.log", "inside-relative");
  tree.link(tree.secret, "outside-absolute");
  tree.link("../secret/passwords", "outside-relative");
  tree.link(tree.tree.path() / "secret", "outside-directory");
  tree.link("outside-relative", "outside-by-two");
  tree.link("/proc/self/root", "magic");
  tree.link("loop", "loop");
  running_hostwatch host({tree.logs()});
  CHECK(host.figures("tail_log", {{"path", "inside-absolute"}, {"lines", 1}})["text"] == "three");
  CHECK(host.figures("tail_log", {{"path", "inside-relative"}})["text"] == "deep");
  for (const std::string path : {"outside-absolute", "outside-relative", "outside-directory/passwords",
                                 "outside-by-two", "magic/etc/passwd", "loop"}) {
    CAPTURE(path);
    CHECK_THAT(host.refusal("tail_log", {{"path", path}}), !Catch::Contains("hidden"));
  }
}

TEST_CASE("only regular files are read, and nothing blocks") {
  log_tree tree;
  REQUIRE(::mkfifo((tree.logs() + "/fifo").c_str(), 0600) == 0);
  tree.link("fifo", "link-to-fifo");
  const int made = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (tree.logs() + "/socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  REQUIRE(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  ::close(made);
  running_hostwatch host({tree.logs(), "/dev"});
  for (const std::string path :
       {"fifo", "link-to-fifo", "socket", "sub", ".", "./", "/dev/null", "/dev/zero", "app.log/"}) {
    CAPTURE(path);
    CHECK_FALSE(host.refusal("tail_log", {{"path", path}}).empty());
  }
  CHECK_THAT(host.refusal("tail_log", {{"path", "none.log"}}), Catch::Contains("No such file"));
}

TEST_CASE(
    "several directories are looked through in order, and one that is a link is as good as its target") {
  log_tree tree;
  tree.tree.write("more/other.log", "other\n");
  fs::create_symlink(tree.tree.path() / "more", tree.tree.path() / "alias");
  const auto alias = (tree.tree.path() / "alias").string();
  running_hostwatch host({tree.logs(), alias, (tree.tree.path() / "gone").string()});
  CHECK(host.figures("tail_log", {{"path", "other.log"}})["text"] == "other");
  CHECK(host.figures("tail_log", {{"path", alias + "/other.log"}})["text"] == "other");
  CHECK(host.figures("tail_log", {{"path", (tree.tree.path() / "more/other.log").string()}})["text"] ==
        "other");
  tree.tree.write("gone/late.log", "late\n");
  CHECK(host.figures("tail_log", {{"path", "late.log"}})["text"] == "late");
}

TEST_CASE("without directories every log is refused") {
  log_tree tree;
  running_hostwatch host;
  CHECK_FALSE(host.refusal("tail_log", {{"path", tree.app}}).empty());
  CHECK_FALSE(host.refusal("tail_log", {{"path", "app.log"}}).empty());
}

TEST_CASE("lines are bounded in number, 50 if none is named") {
  log_tree tree;
  std::string text;
  for (int i = 0; i < 2000; ++i)
    text += std::to_string(i) + "\n";
  tree.tree.write("logs/long.log", text);
  running_hostwatch host({tree.logs()});
  CHECK(host.figures("tail_log", {{"path", "long.log"}})["line_count"] == 50);
  CHECK(host.figures("tail_log", {{"path", "long.log"}, {"lines", 1000}})["line_count"] == 1000);
  for (const json& lines : {json(0), json(-1), json(1001), json("5"), json(1e99)})
    CHECK_THAT(host.refusal("tail_log", {{"path", "long.log"}, {"lines", lines}}), Catch::Contains("lines"));
  CHECK_THAT(host.refusal("tail_log", json::object()), Catch::Contains("path"));
}

TEST_CASE("a log of long lines is cut to its last whole lines in 256 KiB") {
  log_tree tree;
  const std::string line(100000, 'x');
  tree.tree.write("logs/wide.log", line + "1\n" + line + "2\n" + line + "3\n" + line + "4\n");
  tree.tree.write("logs/endless.log", std::string(1u << 20, 'y'));
  running_hostwatch host({tree.logs()});
  const auto wide = host.figures("tail_log", {{"path", "wide.log"}, {"lines", 4}});
  CHECK(wide["text"] == line + "3\n" + line + "4");
  CHECK(wide["line_count"] == 2);
  CHECK(wide["truncated"] == true);
  CHECK(host.figures("tail_log", {{"path", "wide.log"}, {"lines", 2}})["truncated"] == false);
  const auto endless = host.figures("tail_log", {{"path", "endless.log"}});
  CHECK(endless["text"] == std::string(256u << 10, 'y'));
  CHECK(endless["truncated"] == true);
}

TEST_CASE("bytes that are not UTF-8 are replaced") {
  log_tree tree;
  tree.tree.write("logs/latin1.log", "caf\xe9 \xc3\xa9\n");
  running_hostwatch host({tree.logs()});
  CHECK(host.figures("tail_log", {{"path", "latin1.log"}})["text"] == "caf\xef\xbf\xbd \xc3\xa9");
}
