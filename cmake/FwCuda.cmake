# The CUDA toolkit: nvcc, cuBLASLt and cuDNN. Included only with FW_CUDA.

include(CheckLanguage)
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
