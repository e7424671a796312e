#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
} // namespace prometheus

/// What is counted while things happen. Thread-safe all of it; to count costs some ten nanoseconds and no
/// look at names, as long as counters are kept and not asked for each time.
namespace troupe {

/// Goes up. One that was made by default counts nothing.
class counter {
public:
  counter() = default;
  explicit counter(std::shared_ptr<prometheus::Counter> where) : where_(std::move(where)) {}
  void add(double amount = 1) const;
  double value() const;

private:
  std::shared_ptr<prometheus::Counter> where_;
};

/// Goes up and down. One that was made by default shows nothing.
class gauge {
public:
  gauge() = default;
  explicit gauge(std::shared_ptr<prometheus::Gauge> where) : where_(std::move(where)) {}
  void set(double value) const;
  double value() const;

private:
  std::shared_ptr<prometheus::Gauge> where_;
};

/// How values are spread. One that was made by default takes none down.
class histogram {
public:
  histogram() = default;
  explicit histogram(std::shared_ptr<prometheus::Histogram> where) : where_(std::move(where)) {}
  void observe(double value) const;

private:
  std::shared_ptr<prometheus::Histogram> where_;
};

/// All that a runtime counts, by name and labels. The same name and labels are the same counter, whoever
/// asks, so that an actor that is started again counts on. Embedders may add their own. Names and labels as
/// Prometheus has them; a name has one kind and one help. What this gives out keeps it alive.
class metrics : public std::enable_shared_from_this<metrics> {
public:
  using labels = std::map<std::string, std::string>;

  static std::shared_ptr<metrics> make();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  counter count(const std::string& name, const std::string& help, const labels& which = {});
  gauge level(const std::string& name, const std::string& help, const labels& which = {});
  /// `bounds`: upper ones of the buckets, rising.
  histogram spread(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                   const labels& which = {});

  const prometheus::Registry& registry() const noexcept { return *registry_; }

private:
  metrics();
  std::unique_ptr<prometheus::Registry> registry_;
};

/// Upper bounds of buckets for seconds, from what a cache answers to what a slow model takes.
const std::vector<double>& duration_buckets();

} // namespace troupe
