// Part of steer.hpp, which users include: custom metrics.
#ifndef STEER_CPP_METRICS_HPP
#define STEER_CPP_METRICS_HPP

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "steer/cpp/base.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// A counter, a gauge or a histogram that the statistics show. steer_custom_metric has the limits.
struct Metric {
  std::string name = {};
  std::string help = {};
  std::vector<std::string> labels = {};
  // Of a histogram: the greatest value of each bucket, rising. Empty: for seconds.
  std::vector<double> bounds = {};
  // The most series at one time. 0: 100.
  uint32_t most_series = 0;
};

namespace detail {

// A handle of a series. Copies share it, and the last one gives it back.
template <class C>
class Series {
 public:
  STEER_LOCAL Series() = default;
  STEER_LOCAL explicit Series(C* series) : series_(series, [](C* one) { one->release(one); }) {}
  // Whether there is a series. Updates of a handle without one do nothing.
  STEER_LOCAL explicit operator bool() const { return series_ != nullptr; }

 protected:
  STEER_LOCAL const C* get() const { return series_.get(); }

 private:
  std::shared_ptr<C> series_;
};

}  // namespace detail

// Handles of series. Made by Channel::NewCounter and its like, or by PluginMetrics. Each may
// outlive all else. The value is forgotten with the last handle of its series. Updates may come on
// any thread, also in picks: they take no lock and allocate nothing.

class Counter : public detail::Series<steer_counter> {
 public:
  using Series::Series;
  STEER_LOCAL void Add(uint64_t number = 1) const { steer_counter_add(get(), number); }
};

class Gauge : public detail::Series<steer_gauge> {
 public:
  using Series::Series;
  STEER_LOCAL void Set(double number) const { steer_gauge_set(get(), number); }
  STEER_LOCAL void Add(double number) const { steer_gauge_add(get(), number); }
};

class Histogram : public detail::Series<steer_histogram> {
 public:
  using Series::Series;
  // Ignores infinite values and NaN.
  STEER_LOCAL void Record(double value) const { steer_histogram_record(get(), value); }
};

// The values of the labels of a series, in the order of Metric::labels.
using LabelValues = std::initializer_list<std::string_view>;

namespace detail {

// Makes a series by a function of steer_api. Writes the reason to `*error` when it fails.
template <class Handle, class C>
STEER_LOCAL Handle NewSeries(int32_t (*make)(const steer_channel*, const steer_custom_metric*,
                                             const steer_str*, C**),
                             const steer_channel* channel, const Metric& metric, LabelValues values,
                             std::string* error) {
  std::vector<steer_str> labels;
  for (const std::string& label : metric.labels) labels.push_back(ToC(label));
  std::vector<steer_str> texts;
  for (const std::string_view value : values) texts.push_back(ToC(value));
  if (labels.size() != texts.size()) {
    *error = "\"" + metric.name + "\" has " + std::to_string(labels.size()) + " labels, and got " +
             std::to_string(texts.size()) + " values";
    return Handle();
  }
  steer_custom_metric raw = {};
  raw.struct_size = sizeof raw;
  raw.name = ToC(metric.name);
  raw.help = ToC(metric.help);
  raw.labels = labels.data();
  raw.label_count = labels.size();
  raw.bounds = metric.bounds.data();
  raw.bound_count = metric.bounds.size();
  raw.most_series = metric.most_series;
  C* series = nullptr;
  if (make(channel, &raw, texts.data(), &series) == STEER_OK) return Handle(series);
  *error = std::string(View(engine->last_error()));
  return Handle();
}

}  // namespace detail

// Makes metrics of a plugin, which belong to none of its channels. Only within the plugin's entry.
// A function that fails returns a handle without a series, and writes the reason to `*error`.
class PluginMetrics {
 public:
  STEER_LOCAL explicit PluginMetrics(const steer_api* api) { detail::engine = api; }

  STEER_LOCAL Counter NewCounter(const Metric& metric, LabelValues values,
                                 std::string* error) const {
    return detail::NewSeries<Counter>(detail::engine->counter_new, nullptr, metric, values, error);
  }
  STEER_LOCAL Gauge NewGauge(const Metric& metric, LabelValues values, std::string* error) const {
    return detail::NewSeries<Gauge>(detail::engine->gauge_new, nullptr, metric, values, error);
  }
  STEER_LOCAL Histogram NewHistogram(const Metric& metric, LabelValues values,
                                     std::string* error) const {
    return detail::NewSeries<Histogram>(detail::engine->histogram_new, nullptr, metric, values,
                                        error);
  }
};

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_METRICS_HPP
