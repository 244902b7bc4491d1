#pragma once

#include <optional>
#include <string_view>

#include "operator/reconcile/decide.hpp"

namespace mailid::reconcile {

/// The reason of a LoginVerified that waits for its turn.
inline constexpr std::string_view kLoginNotTried = "LoginNotTried";

/// The status that an identity should show: what was seen after everything that could be done was done, and what
/// went wrong on the way.
///
/// TokenIssued is about this generation: a token that lives but is of an earlier spec doesn't count. TokenFresh is
/// False while a token that is due can't be had. LoginVerified is kept as it is for its generation. Ready names the
/// first thing that is missing.
///
/// @param trouble  what stopped us this time; nothing while an earlier failure is waited out, which
///                 seen.last_failure then names
api::Status status_of(const Observation& seen, const std::optional<catalogue::Failure>& trouble);

/// LoginVerified after a try: True; False where the relay refused this account or this configuration; Unknown where
/// we could not find out, because our own way to the relay may be closed while that of the pods is open.
api::Condition login_condition(const Observation& seen, const catalogue::Result<base::Done>& login);

}  // namespace mailid::reconcile
