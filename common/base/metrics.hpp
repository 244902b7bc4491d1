#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailid::base {

/// Label names and values of one series.
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// The numbers that a program shows, written as Prometheus text (exposition format 0.0.4).
///
/// A metric is described once and its series appear when first touched; touching one that was not
/// described is a bug and aborts. Label values are escaped. Not thread-safe: one program, one thread.
class Metrics {
 public:
  /// Declares a metric. `buckets` are the upper bounds of a histogram, ascending, without +Inf.
  void describe_counter(std::string_view name, std::string_view help);
  void describe_gauge(std::string_view name, std::string_view help);
  void describe_histogram(std::string_view name, std::string_view help, std::vector<double> buckets);

  /// Adds to a counter (`by` >= 0); creates the series at 0 first, so `add(name, labels, 0)` makes it visible.
  void add(std::string_view name, Labels labels = {}, double by = 1);
  void set(std::string_view name, Labels labels, double value);
  void observe(std::string_view name, Labels labels, double value);
  /// Forgets every series of `name` that has all of these labels, for example of an object that was deleted.
  void remove(std::string_view name, Labels labels);
  /// The value of a counter or gauge, 0 if it was never touched. For tests and for our own decisions.
  double value(std::string_view name, Labels labels = {}) const;

  /// The whole page that /metrics serves.
  std::string render() const;

 private:
  enum class Kind { Counter, Gauge, Histogram };
  struct Series {
    double value = 0;
    std::vector<std::uint64_t> counts;
    std::uint64_t count = 0;
  };
  struct Metric {
    Kind kind;
    std::string help;
    std::vector<double> buckets;
    std::map<std::string, Series> series;
  };

  void describe(std::string_view name, Kind kind, std::string_view help, std::vector<double> buckets);
  Series& touch(std::string_view name, Labels labels);

  std::map<std::string, Metric, std::less<>> metrics_;
};

}  // namespace mailid::base
