#include "actors/metrics/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

namespace troupe {

void counter::add(double amount) const {
  if (where_)
    where_->Increment(amount);
}

double counter::value() const {
  return where_ ? where_->Value() : 0;
}

void gauge::set(double value) const {
  if (where_)
    where_->Set(value);
}

double gauge::value() const {
  return where_ ? where_->Value() : 0;
}

void histogram::observe(double value) const {
  if (where_)
    where_->Observe(value);
}

metrics::metrics() : registry_(std::make_unique<prometheus::Registry>()) {}

metrics::~metrics() = default;

std::shared_ptr<metrics> metrics::make() {
  return std::shared_ptr<metrics>(new metrics());
}

counter metrics::count(const std::string& name, const std::string& help, const labels& which) {
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
  return counter({shared_from_this(), &family.Add(which)});
}

gauge metrics::level(const std::string& name, const std::string& help, const labels& which) {
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
  return gauge({shared_from_this(), &family.Add(which)});
}

histogram metrics::spread(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                          const labels& which) {
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_);
  return histogram({shared_from_this(), &family.Add(which, bounds)});
}

const std::vector<double>& duration_buckets() {
  static const std::vector<double> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                          0.5,   1,      2.5,   5,    10,    30,   60,  300};
  return bounds;
}

} // namespace troupe
