#include "common/base/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace mailid::base {
namespace {

std::string escape(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (c == '\n') {
      escaped += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string label_pair(std::string_view name, std::string_view value) {
  return fmt::format("{}=\"{}\"", name, escape(value));
}

/// `a="x",b="y"`, as it is written and as the key of a series.
std::string label_text(Labels labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    if (!text.empty()) text += ',';
    text += label_pair(name, value);
  }
  return text;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string line(std::string_view name, std::string_view labels, double value) {
  if (labels.empty()) return fmt::format("{} {}\n", name, number(value));
  return fmt::format("{}{{{}}} {}\n", name, labels, number(value));
}

std::string with(std::string_view labels, std::string_view pair) {
  return labels.empty() ? std::string(pair) : fmt::format("{},{}", labels, pair);
}

}  // namespace

void Metrics::describe(std::string_view name, Kind kind, std::string_view help, std::vector<double> buckets) {
  metrics_.insert_or_assign(std::string(name), Metric{kind, std::string(help), std::move(buckets), {}});
}

void Metrics::describe_counter(std::string_view name, std::string_view help) {
  describe(name, Kind::Counter, help, {});
}

void Metrics::describe_gauge(std::string_view name, std::string_view help) {
  describe(name, Kind::Gauge, help, {});
}

void Metrics::describe_histogram(std::string_view name, std::string_view help, std::vector<double> buckets) {
  describe(name, Kind::Histogram, help, std::move(buckets));
}

Metrics::Series& Metrics::touch(std::string_view name, Labels labels) {
  const auto metric = metrics_.find(name);
  if (metric == metrics_.end()) std::abort();
  auto& series = metric->second.series[label_text(labels)];
  series.counts.resize(metric->second.buckets.size());
  return series;
}

void Metrics::add(std::string_view name, Labels labels, double by) {
  touch(name, labels).value += by;
}

void Metrics::set(std::string_view name, Labels labels, double value) {
  touch(name, labels).value = value;
}

void Metrics::observe(std::string_view name, Labels labels, double value) {
  auto& series = touch(name, labels);
  const auto& buckets = metrics_.find(name)->second.buckets;
  for (std::size_t i = 0; i < buckets.size(); ++i) series.counts[i] += value <= buckets[i] ? 1 : 0;
  series.value += value;
  ++series.count;
}

void Metrics::remove(std::string_view name, Labels labels) {
  const auto metric = metrics_.find(name);
  if (metric == metrics_.end()) return;
  std::erase_if(metric->second.series, [labels](const auto& series) {
    const auto text = fmt::format(",{},", series.first);
    return std::all_of(labels.begin(), labels.end(), [&text](const auto& label) {
      return text.find(fmt::format(",{},", label_pair(label.first, label.second))) != std::string::npos;
    });
  });
}

double Metrics::value(std::string_view name, Labels labels) const {
  const auto metric = metrics_.find(name);
  if (metric == metrics_.end()) return 0;
  const auto series = metric->second.series.find(label_text(labels));
  return series == metric->second.series.end() ? 0 : series->second.value;
}

std::string Metrics::render() const {
  static constexpr std::string_view kKinds[] = {"counter", "gauge", "histogram"};
  std::string page;
  for (const auto& [name, metric] : metrics_) {
    page += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, metric.help, name,
                        kKinds[static_cast<std::size_t>(metric.kind)]);
    for (const auto& [labels, series] : metric.series) {
      if (metric.kind != Kind::Histogram) {
        page += line(name, labels, series.value);
        continue;
      }
      for (std::size_t i = 0; i < metric.buckets.size(); ++i) {
        const auto bound = label_pair("le", number(metric.buckets[i]));
        page += line(name + "_bucket", with(labels, bound), static_cast<double>(series.counts[i]));
      }
      const auto count = static_cast<double>(series.count);
      page += line(name + "_bucket", with(labels, label_pair("le", "+Inf")), count);
      page += line(name + "_sum", labels, series.value);
      page += line(name + "_count", labels, count);
    }
  }
  return page;
}

}  // namespace mailid::base
