#pragma once

// Asio as this project uses it: coroutines on one thread, errors as error codes.
// <utility> comes first because Boost 1.74's awaitable.hpp needs it and does not include it.
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace mailid {

namespace asio = boost::asio;
using boost::system::error_code;

}  // namespace mailid
