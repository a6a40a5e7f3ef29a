// For benches of the window on a machine whose graphics card has no display: preloaded, OpenGL is drawn by EGL's
// first device while windows lie on an X server without one, Xvfb for instance.
//   LD_PRELOAD=libegl_device.so QT_XCB_GL_INTEGRATION=xcb_egl xvfb-run -a -s "-screen 0 2000x1200x24"
//   inspector_bench
// https://registry.khronos.org/EGL/extensions/EXT/EGL_EXT_platform_device.txt
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <vector>

namespace {

// The library's own function, which this file stands in front of.
template <class Function>
Function* own(const char* name) {
    static void* const library = dlopen("libEGL.so.1", RTLD_NOW | RTLD_GLOBAL);
    return library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
}

EGLDisplay firstDevice() {
    static const EGLDisplay display = [] {
        auto* const find = own<decltype(eglGetProcAddress)>("eglGetProcAddress");
        auto* const query =
            find == nullptr ? nullptr : reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(find("eglQueryDevicesEXT"));
        auto* const open =
            find == nullptr ? nullptr
                            : reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(find("eglGetPlatformDisplayEXT"));
        EGLDeviceEXT device = nullptr;
        EGLint count = 0;
        if (query == nullptr || open == nullptr || query(1, &device, &count) == EGL_FALSE || count == 0) {
            std::fputs("EGL names no device\n", stderr);
            return EGL_NO_DISPLAY;
        }
        return open(EGL_PLATFORM_DEVICE_EXT, device, nullptr);
    }();
    return display;
}

EGLDisplay displayOfPlatform(EGLenum, void*, const EGLint*) {
    return firstDevice();
}

}  // namespace

#define FW_EXPORTED extern "C" __attribute__((visibility("default")))

FW_EXPORTED EGLDisplay eglGetDisplay(EGLNativeDisplayType) {
    return firstDevice();
}

FW_EXPORTED EGLDisplay eglGetPlatformDisplay(EGLenum, void*, const EGLAttrib*) {
    return firstDevice();
}

// A device has no windows.
FW_EXPORTED EGLBoolean eglChooseConfig(EGLDisplay display, const EGLint* wanted, EGLConfig* configs, EGLint size,
                                       EGLint* count) {
    std::vector<EGLint> attributes;
    for (; wanted != nullptr && *wanted != EGL_NONE; wanted += 2) {
        attributes.insert(attributes.end(),
                          {wanted[0], wanted[0] == EGL_SURFACE_TYPE ? EGL_PBUFFER_BIT : wanted[1]});
    }
    attributes.push_back(EGL_NONE);
    return own<decltype(eglChooseConfig)>("eglChooseConfig")(display, attributes.data(), configs, size, count);
}

FW_EXPORTED __eglMustCastToProperFunctionPointerType eglGetProcAddress(const char* name) {
    using Any = __eglMustCastToProperFunctionPointerType;
    if (std::strcmp(name, "eglGetDisplay") == 0) {
        return reinterpret_cast<Any>(eglGetDisplay);
    }
    if (std::strcmp(name, "eglGetPlatformDisplay") == 0) {
        return reinterpret_cast<Any>(eglGetPlatformDisplay);
    }
    if (std::strcmp(name, "eglGetPlatformDisplayEXT") == 0) {
        return reinterpret_cast<Any>(displayOfPlatform);
    }
    return own<decltype(eglGetProcAddress)>("eglGetProcAddress")(name);
}
