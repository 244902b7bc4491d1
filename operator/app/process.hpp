#pragma once

#include <functional>
#include <string>

#include "common/base/expected.hpp"
#include "common/base/log.hpp"
#include "common/net/asio.hpp"

namespace mailid::app {

/// What every command needs before anything else: no core and no debugger of the same user sees the tokens, a peer
/// that goes away raises no signal, cpprestsdk has one thread. To be called first, while there is one thread.
void prepare_process();

/// Says on standard error what is wrong with a command line. @return kWrongUsage
int refuse_usage(std::string_view command, std::string_view what);

/// Runs everything on `io` until SIGTERM or SIGINT, then `stop` to its end; a second signal doesn't wait for it.
/// @return the exit code: kEndedWell, or kFailed where an exception came through, which is a bug
int run_until_signal(asio::io_context& io, const base::Log& log, std::function<asio::awaitable<void>()> stop);

}  // namespace mailid::app
