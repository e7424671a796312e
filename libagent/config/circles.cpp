#include "libagent/config/circles.hpp"

#include <algorithm>

namespace troupe::config {

namespace {

/// Circles that are worth telling.
constexpr std::size_t most_circles = 100;

/// Depth first, with a stack of its own: a file may hold a chain of any length.
class circle_finder {
public:
  explicit circle_finder(const std::vector<std::vector<reference>>& references)
      : references_(references), stages_(references.size(), stage::untouched) {}

  std::vector<circle> find() {
    for (std::size_t start = 0; start < references_.size(); ++start)
      if (stages_[start] == stage::untouched)
        follow_from(start);
    return std::move(found_);
  }

private:
  enum class stage { untouched, on_the_way, done };
  struct step {
    std::size_t owner = 0;
    std::size_t next = 0;
  };

  void enter(std::size_t owner) {
    stages_[owner] = stage::on_the_way;
    way_.push_back({owner});
  }

  void follow_from(std::size_t start) {
    enter(start);
    while (!way_.empty()) {
      auto& [owner, next] = way_.back();
      if (next == references_[owner].size()) {
        stages_[owner] = stage::done;
        way_.pop_back();
        continue;
      }
      const auto& each = references_[owner][next++];
      if (stages_[each.to] == stage::on_the_way)
        close(each);
      else if (stages_[each.to] == stage::untouched)
        enter(each.to);
    }
  }

  void close(const reference& last) {
    if (found_.size() == most_circles)
      return;
    const auto first =
        std::find_if(way_.begin(), way_.end(), [&](const step& one) { return one.owner == last.to; });
    auto closed = circle{{}, last.path};
    for (auto one = first; one != way_.end(); ++one)
      closed.owners.push_back(one->owner);
    found_.push_back(std::move(closed));
  }

  const std::vector<std::vector<reference>>& references_;
  std::vector<stage> stages_;
  std::vector<step> way_;
  std::vector<circle> found_;
};

} // namespace

std::vector<circle> find_circles(const std::vector<std::vector<reference>>& references) {
  return circle_finder{references}.find();
}

} // namespace troupe::config
