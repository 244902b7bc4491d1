#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/known_objects.hpp"

namespace mailid::kube {

/// What a page of a list says besides its objects.
struct ListPage {
  std::string continue_token;  ///< of the next page; empty on the last one
  std::string resource_version;
};

/// Reads one page and hands out its objects one by one, in order: never more than one of them is in memory as a value.
/// What is nested deeper than 64 levels is left out. A sentence where it is not a page.
base::Expected<ListPage, std::string> read_list_page(std::string_view text,
                                                     const std::function<void(ListedObject)>& on_object);

/// One line of a watch.
struct WatchLine {
  enum class Type { Added, Modified, Deleted, Bookmark, Error };
  Type type;
  ListedObject object;  ///< of a Bookmark: only the resource_version means something
  Status error;         ///< of an Error
};

/// Reads one line of a watch, without its newline; nothing where it is not one.
std::optional<WatchLine> read_watch_line(std::string_view text);

/// The Status that a body holds; nothing where it holds something else.
std::optional<Status> read_status(std::string_view text);

}  // namespace mailid::kube
