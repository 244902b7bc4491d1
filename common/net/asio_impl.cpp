// Asio's own code, compiled here and nowhere else (BOOST_ASIO_SEPARATE_COMPILATION in cmake/dependencies.cmake).
#include <utility>

#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
