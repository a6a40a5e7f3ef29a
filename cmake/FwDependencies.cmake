# Third-party packages. What each is for, its licence and why it was chosen: docs/dependencies.md.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tl-expected REQUIRED)
if(NOT FW_ENGINE_ONLY)
  pkg_check_modules(libav REQUIRED IMPORTED_TARGET libavcodec libavformat libavutil libswscale libavfilter)
  pkg_check_modules(webp REQUIRED IMPORTED_TARGET libwebp libwebpmux libwebpdemux)
endif()
if(FW_FUZZ)
  return()  # the fuzz targets use nothing else
endif()
find_package(OpenMP REQUIRED COMPONENTS CXX)

# Debian's oneDNN has a CMake package that demands OpenCL headers; the library itself is all that is needed.
find_path(FW_DNNL_INCLUDE dnnl.hpp REQUIRED)
find_library(FW_DNNL_LIBRARY dnnl REQUIRED)
add_library(fw_dnnl INTERFACE)
target_include_directories(fw_dnnl SYSTEM INTERFACE ${FW_DNNL_INCLUDE})
target_link_libraries(fw_dnnl INTERFACE ${FW_DNNL_LIBRARY} OpenMP::OpenMP_CXX)

pkg_check_modules(hwy REQUIRED IMPORTED_TARGET libhwy)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET sentencepiece)
if(NOT FW_ENGINE_ONLY)
  pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
  find_package(CLI11 REQUIRED)
endif()
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)

if(FW_BUILD_UI)
  find_package(Qt6 6.4 REQUIRED COMPONENTS Core Gui Network Widgets Svg Test)
endif()
if(FW_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark REQUIRED)
endif()
