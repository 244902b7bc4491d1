#include "sidecar/app/frugal_handler.hpp"

namespace mailid::app {

asio::awaitable<smtp::Reply> FrugalHandler::deliver(const server::Envelope& envelope, const spool::Body& body,
                                                    std::stop_token app_gone) {
  auto reply = co_await handler_->deliver(envelope, body, std::move(app_gone));
  shrink_soon();
  co_return reply;
}

void FrugalHandler::shrink_soon() {
  if (timer_->now() >= next_) {
    shrink_now();
  } else if (!alarm_) {
    alarm_ = timer_->set_alarm(next_, [this] { shrink_now(); });
  }
}

void FrugalHandler::shrink_now() {
  alarm_.reset();
  next_ = timer_->now() + std::chrono::seconds(1);
  shrink_();
}

}  // namespace mailid::app
