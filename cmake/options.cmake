# One interface target carries the language level, warnings and hardening that every room compiles with.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -ffunction-sections -fdata-sections")

add_library(mailid_options INTERFACE)
target_include_directories(mailid_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(mailid_options INTERFACE _GLIBCXX_ASSERTIONS)
target_compile_options(mailid_options INTERFACE
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wimplicit-fallthrough -Wno-missing-field-initializers
  # g++ 12 does not see that a coroutine's frame is allocated by its promise's own operator new.
  -Wno-mismatched-new-delete
  -fstack-protector-strong -fstack-clash-protection -fcf-protection)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(mailid_options INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
target_link_options(mailid_options INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--gc-sections)
if(MAILID_SANITIZE)
  target_compile_options(mailid_options INTERFACE -fsanitize=${MAILID_SANITIZE} -fno-sanitize-recover=undefined)
  target_link_options(mailid_options INTERFACE -fsanitize=${MAILID_SANITIZE})
endif()
if(MAILID_STATIC)
  target_link_options(mailid_options INTERFACE -static)
endif()

configure_file(${PROJECT_SOURCE_DIR}/cmake/version.hpp.in ${PROJECT_BINARY_DIR}/generated/mailid_version.hpp @ONLY)
