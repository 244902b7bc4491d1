# Debian packages only (cmake/debian-packages.txt); nothing is fetched at configure time.
set(OPENSSL_USE_STATIC_LIBS ${MAILID_STATIC})
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(fmt 9 REQUIRED)
if(MAILID_OPERATOR)
  find_package(cpprestsdk REQUIRED)
  find_package(yaml-cpp REQUIRED)
endif()
if(MAILID_TESTS)
  find_package(GTest REQUIRED)
endif()

# Asio compiled once (common/net/asio_impl.cpp) and not in every file that includes it.
add_library(mailid_asio INTERFACE)
target_compile_definitions(mailid_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION)
target_link_libraries(mailid_asio INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)

add_library(mailid_fmt INTERFACE)
target_link_libraries(mailid_fmt INTERFACE fmt::fmt-header-only)

if(MAILID_STATIC)
  # Streams and locales, which nothing here uses, would be 7 % of the program.
  target_compile_definitions(mailid_asio INTERFACE BOOST_ASIO_NO_IOSTREAM)
  target_compile_definitions(mailid_fmt INTERFACE "FMT_STATIC_THOUSANDS_SEPARATOR=','")
endif()
