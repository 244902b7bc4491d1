#pragma once

namespace mailid::app {

/// Sets the process up for little memory; to be called first in main(), before there is a second thread.
///
/// One heap for all threads: the resolver's own would cost as much as all mail. No huge pages for the program itself:
/// with them all of its 5 MB count as in use, because the kernel maps 2 MB at a time.
void keep_footprint_small();

/// Gives back what is not needed now: free memory of the heap, and pages of the program that only begin and end use.
/// They are read from the page cache again when they are called; takes about 0.1 ms.
void shrink_footprint();

}  // namespace mailid::app
