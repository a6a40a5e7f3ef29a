# The CUDA toolkit: nvcc, cuBLASLt and cuDNN. From here on FW_CUDA is ON or OFF; FW_CUDA_TESTS says whether what checks the
# engine itself is built as well, which takes longer than the engine.

set(FW_CUDA_TESTS OFF)
if(FW_CUDA STREQUAL "AUTO")
  find_package(CUDAToolkit 13.0 QUIET)
  find_path(FW_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(FW_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
  if(CUDAToolkit_NVCC_EXECUTABLE AND TARGET CUDA::cublasLt AND FW_CUDNN_INCLUDE AND FW_CUDNN_LIBRARY)
    message(STATUS "CUDA engine: built, which takes some minutes the first time (-DFW_CUDA=OFF leaves it out)")
    set(FW_CUDA ON)
  else()
    message(STATUS "CUDA engine: left out, because CUDA 13 with nvcc, cuBLASLt and cuDNN was not found")
    set(FW_CUDA OFF)
  endif()
elseif(FW_CUDA)
  set(FW_CUDA_TESTS ON)
endif()
if(NOT FW_CUDA)
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(FW_NVCC nvcc HINTS /usr/local/cuda/bin)
  if(FW_NVCC)
    set(CMAKE_CUDA_COMPILER ${FW_NVCC})
  endif()
endif()
# One real architecture for each kind of kernel (mma.sync; Hopper's wgmma and TMA) and the newest as PTX too. Without the
# "a" Hopper's instructions do not assemble; "native" and "all" need a device or an older CMake's list.
set(FW_CUDA_ARCHITECTURES "80-real;90a-real;120" CACHE STRING "GPU architectures to compile the kernels for")
set(CMAKE_CUDA_ARCHITECTURES ${FW_CUDA_ARCHITECTURES})
enable_language(CUDA)
# CMake 3.25 does not know that nvcc takes C++20.
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)

find_package(CUDAToolkit 13.0 REQUIRED)
# FindCUDAToolkit has no target for cuDNN.
find_path(FW_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} REQUIRED)
find_library(FW_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR} REQUIRED)
add_library(CUDA::cudnn SHARED IMPORTED)
set_target_properties(CUDA::cudnn PROPERTIES
  IMPORTED_LOCATION ${FW_CUDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${FW_CUDNN_INCLUDE}
  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${FW_CUDNN_INCLUDE})
