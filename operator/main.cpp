#include <string_view>
#include <vector>

#include "operator/app/program.hpp"

int main(int count, char** arguments) {
  const std::vector<std::string_view> words(arguments + 1, arguments + count);
  return mailid::app::run_program(words);
}
