#include "operator/app/flags.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace mailid::app {
namespace {

base::Unexpected<std::string> wrong(std::string what) {
  return base::Unexpected{std::move(what)};
}

}  // namespace

base::Expected<Flags, std::string> Flags::parse(std::span<const Flag> known,
                                                std::span<const std::string_view> arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    auto argument = arguments[i];
    if (!argument.starts_with("--")) return wrong(fmt::format("{} is not a flag", argument));
    argument.remove_prefix(2);
    const auto equals = argument.find('=');
    const auto name = argument.substr(0, equals);
    if (std::none_of(known.begin(), known.end(), [name](const Flag& flag) { return flag.name == name; })) {
      return wrong(fmt::format("--{} is not known", name));
    }
    if (equals == std::string_view::npos && i + 1 == arguments.size()) {
      return wrong(fmt::format("--{} needs a value", name));
    }
    const auto value = equals == std::string_view::npos ? arguments[++i] : argument.substr(equals + 1);
    if (!flags.values_.emplace(name, value).second) return wrong(fmt::format("--{} is given twice", name));
  }
  for (const auto& flag : known) {
    const auto place = flags.values_.emplace(flag.name, flag.fallback).first;
    if (flag.need == Flag::Need::Required && place->second.empty()) {
      return wrong(fmt::format("--{} is needed", flag.name));
    }
  }
  return flags;
}

const std::string& Flags::text(std::string_view name) const {
  return values_.find(name)->second;
}

std::vector<std::string> Flags::texts(std::string_view name) const {
  std::vector<std::string> parts;
  std::string_view rest = text(name);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    if (const auto part = rest.substr(0, comma); !part.empty()) parts.emplace_back(part);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return parts;
}

std::optional<std::uint16_t> Flags::port(std::string_view name) const {
  const auto& value = text(name);
  std::uint16_t number = 0;
  const auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || stop != value.data() + value.size()) return std::nullopt;
  return number;
}

std::string usage(std::span<const Flag> known) {
  std::string lines;
  for (const auto& flag : known) {
    const auto fallback = flag.fallback.empty() ? std::string() : fmt::format(" ({})", flag.fallback);
    lines += fmt::format("  --{:<24} {}{}\n", flag.name, flag.meaning, fallback);
  }
  return lines;
}

}  // namespace mailid::app
