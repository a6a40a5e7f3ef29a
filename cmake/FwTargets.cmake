# Strictness and the one way to declare a library, a program or a test of this project.

add_library(fw_strict INTERFACE)
target_compile_options(fw_strict INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Wcast-align -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives for these at -O2 and above (GCC bugs 105562, 105329, 105651).
  target_compile_options(fw_strict INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-null-dereference)
endif()

if(CMAKE_UNITY_BUILD)
  # Several sources make one translation unit, so that headers are read once for all of them: a build from nothing takes
  # a third of the time. Structures that hide members of unnamed namespaces then look as if a header declared them.
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
  # g++ 12 also sees memory freed that never came from the heap (GCC bug 104215 and its like).
  target_compile_options(fw_strict INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage -Wno-free-nonheap-object>)
endif()

if(FW_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(FW_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(NOT FW_SANITIZE STREQUAL "")
  message(FATAL_ERROR "FW_SANITIZE is '${FW_SANITIZE}': use address, thread or nothing")
endif()

if(FW_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "FW_FUZZ needs clang: cmake --preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

find_program(FW_MOLD mold)
if(FW_MOLD AND NOT FW_FUZZ)
  add_link_options(-fuse-ld=mold)
endif()

# fw_library(NAME dir/name SOURCES ... PUBLIC libs... PRIVATE libs...)
# Makes the static library fw_<name> (slashes become underscores). Headers are included from the repository root
# ("core/base/result.h") and only become visible by linking the library: each library's headers live in an
# INTERFACE include tree of its own under the build folder, so an include without a link edge does not compile.
function(fw_library target)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  file(RELATIVE_PATH folder ${CMAKE_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  set(tree ${CMAKE_BINARY_DIR}/include/${target})
  get_filename_component(parent ${tree}/${folder} DIRECTORY)
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${tree}/${folder} SYMBOLIC)
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    target_include_directories(${target} PUBLIC ${tree})
    target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE fw_strict ${ARG_PRIVATE})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${tree})
    target_link_libraries(${target} INTERFACE ${ARG_PUBLIC})
  endif()
endfunction()

# fw_program(NAME SOURCES ... LIBS ...)
function(fw_program target)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE fw_strict ${ARG_LIBS})
endfunction()

# Everything the sanitizer builds run; set up here so that they need not build programs and benchmarks.
add_custom_target(sanitized_tests)

# fw_test(NAME LABEL unit|golden|process|gui|fuzz|bench SOURCES ... LIBS ...): a GoogleTest program run by ctest.
function(fw_test target)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  if(FW_SANITIZE)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 4")  # instrumented code is several times slower
  endif()
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE fw_strict GTest::gtest_main GTest::gmock ${ARG_LIBS})
  target_compile_definitions(${target} PRIVATE
    FW_SOURCE_DIR="${CMAKE_SOURCE_DIR}" FW_BINARY_DIR="${CMAKE_BINARY_DIR}")
  add_test(NAME ${target} COMMAND ${target})
  # Two cores are shared by parallel tests: one OpenMP thread each keeps spinning threads from starving one another.
  set_tests_properties(${target} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "OMP_NUM_THREADS=1;LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/lsan.supp:print_suppressions=0")
  if(ARG_LABEL MATCHES "^(unit|golden)$")
    add_dependencies(sanitized_tests ${target})
  endif()
endfunction()
