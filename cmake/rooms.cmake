# A room is a folder: every .cpp in it makes the static library <side>_<room>, and every
# tests/unit/<side>/<room>/*_test.cpp makes its test program unit_<side>_<room>.
set_property(GLOBAL PROPERTY MAILID_ROOMS "")

# mailid_add_rooms(<side> <room>...) adds the rooms that exist, with what their CMakeLists.txt says of them.
function(mailid_add_rooms side)
  foreach(room IN LISTS ARGN)
    if(EXISTS ${PROJECT_SOURCE_DIR}/${side}/${room}/CMakeLists.txt)
      add_subdirectory(${side}/${room})
      set_property(GLOBAL APPEND PROPERTY MAILID_ROOMS ${side}/${room})
    endif()
  endforeach()
endfunction()

# mailid_room(DEPENDS <target>... [PRIVATE_DEPENDS <target>...]) in a room's CMakeLists.txt declares its library.
function(mailid_room)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  file(RELATIVE_PATH room ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" target ${room})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(${target} STATIC ${sources})
  target_link_libraries(${target} PUBLIC mailid_options ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
endfunction()

# mailid_add_program(<name> <side>) builds <side>/main.cpp on top of <side>/app.
function(mailid_add_program name side)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${side}/main.cpp)
    add_executable(${name} ${PROJECT_SOURCE_DIR}/${side}/main.cpp)
    target_link_libraries(${name} PRIVATE ${side}_app)
  endif()
endfunction()
