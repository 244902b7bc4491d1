#pragma once

#include <filesystem>
#include <string>

#include "common/catalogue/catalogue.hpp"
#include "sidecar/identity/token_source.hpp"

namespace mailid::identity {

/// The folder that holds the identities' folders now: where `base/..data` leads, or `base` itself where a kubelet
/// does not own it.
std::filesystem::path current_folder(const std::filesystem::path& base);

/// Reads one identity's folder, all files by one open directory, so that a swap under way can't mix them.
/// `generation` and `seen_at` are the caller's to set; `settings.name` is `name`.
/// @return IdentityMissing where there is no folder, TokenMissing with the file and what is wrong with it where it
///         is not complete
catalogue::Result<Credentials> read_identity(const std::filesystem::path& folder, const std::string& name);

}  // namespace mailid::identity
