#pragma once

struct ssl_st;

namespace mailid::net {

/// Lets a TLS session read and write a connected descriptor by itself, without staging buffers and without
/// ever raising SIGPIPE. The descriptor must outlive the session and stays its owner's to close.
/// @return false where memory has run out
bool attach(ssl_st& session, int descriptor);

}  // namespace mailid::net
