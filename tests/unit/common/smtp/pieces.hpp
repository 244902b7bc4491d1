#pragma once

#include <algorithm>
#include <random>
#include <string_view>
#include <vector>

namespace mailid::smtp {

/// Ways to cut a text into pieces, as a network might: whole, byte by byte, and 30 times at random places that
/// are the same in every run.
inline std::vector<std::vector<std::string_view>> ways_to_cut(std::string_view text) {
  std::vector<std::vector<std::string_view>> ways{{text}, {}};
  for (std::size_t i = 0; i < text.size(); ++i) ways[1].push_back(text.substr(i, 1));
  std::mt19937 random(20'26);
  for (int way = 0; way < 30; ++way) {
    std::vector<std::string_view> pieces;
    for (auto rest = text; !rest.empty();) {
      std::uniform_int_distribution<std::size_t> length(1, std::min<std::size_t>(rest.size(), 40));
      pieces.push_back(rest.substr(0, length(random)));
      rest.remove_prefix(pieces.back().size());
    }
    ways.push_back(std::move(pieces));
  }
  return ways;
}

}  // namespace mailid::smtp
