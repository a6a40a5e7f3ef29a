// The boundaries of the architecture, checked against the source tree, and the checks against planted violations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "layer_rules.h"
#include "source_reader.h"

namespace fw::layering {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string readFile(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// Paths below the given folders of the repository, relative to its root.
std::vector<std::string> filesBelow(const std::vector<std::string>& folders) {
    const fs::path root = FW_SOURCE_DIR;
    std::vector<std::string> files;
    for (const std::string& folder : folders) {
        if (!fs::exists(root / folder)) {
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
            if (entry.is_regular_file()) {
                files.push_back(fs::relative(entry.path(), root).string());
            }
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

bool isSource(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".h" || extension == ".cpp" || extension == ".cu" || extension == ".cuh" ||
           extension == ".inc";
}

const std::vector<std::string> kProduct = {"app", "core", "kernels", "ui"};

TEST(Layering, SourcesIncludeOnlyWhatTheirLayerMaySee) {
    int sources = 0;
    for (const std::string& file : filesBelow(kProduct)) {
        if (isSource(file)) {
            ++sources;
            EXPECT_THAT(includeViolations(file, readFile(fs::path(FW_SOURCE_DIR) / file)), IsEmpty());
        }
    }
    EXPECT_GT(sources, 50);
}

TEST(Layering, LibrariesLinkOnlyWhatTheirLayerMaySee) {
    int scripts = 0;
    for (const std::string& file : filesBelow(kProduct)) {
        if (fs::path(file).filename() == "CMakeLists.txt") {
            ++scripts;
            EXPECT_THAT(linkViolations(file, readFile(fs::path(FW_SOURCE_DIR) / file)), IsEmpty());
        }
    }
    EXPECT_GT(scripts, 12);
}

TEST(Layering, TableOnlyPointsDown) {
    EXPECT_THAT(tableViolations(layerRules()), IsEmpty());
}

TEST(Layering, TableThatPointsUpIsSeen) {
    EXPECT_THAT(tableViolations({{"core/base", {"core/media"}, {}}, {"core/media", {"core/base"}, {}}}),
                ElementsAre(HasSubstr("core/base may see core/media")));
}

// Files beyond this are split; the limit is the one CONTRIBUTING.md states.
TEST(Layering, FilesStayShort) {
    constexpr std::ptrdiff_t kMaxLines = 800;
    for (const std::string& file : filesBelow({"app", "core", "kernels", "ui", "tests"})) {
        if (isSource(file) && !file.ends_with(".inc")) {  // those are tables of data
            const std::string text = readFile(fs::path(FW_SOURCE_DIR) / file);
            EXPECT_LE(std::count(text.begin(), text.end(), '\n'), kMaxLines) << file;
        }
    }
}

struct Planted {
    std::string path, text, complaint;
};

void PrintTo(const Planted& planted, std::ostream* out) {
    *out << planted.path << ": " << planted.text;
}

class PlantedInclude : public testing::TestWithParam<Planted> {};

INSTANTIATE_TEST_SUITE_P(
    Forbidden, PlantedInclude,
    testing::Values(Planted{"core/base/a.h", "#include <QString>", "belongs to qt"},
                    Planted{"core/pipeline/a.cpp", "#include <QtCore/qglobal.h>", "belongs to qt"},
                    Planted{"core/model/a.cpp", "#include <libavcodec/avcodec.h>", "belongs to libav"},
                    Planted{"ui/a.cpp", "#include <libavformat/avformat.h>", "belongs to libav"},
                    Planted{"ui/a.cpp", "#include <sqlite3.h>", "belongs to sqlite"},
                    Planted{"core/media/a.cpp", "  #  include   <sqlite3.h>", "belongs to sqlite"},
                    Planted{"core/model/a.cpp", "#include <cuda_runtime.h>", "belongs to cuda"},
                    Planted{"core/model/a.cpp", "#include <dnnl.hpp>", "belongs to dnnl"},
                    Planted{"core/method/a.cpp", "#include <oneapi/dnnl/dnnl.hpp>", "belongs to dnnl"},
                    Planted{"core/backend/a.cpp", "#include <hwy/highway.h>", "belongs to highway"},
                    Planted{"kernels/cpu/a.cpp", "#include <fmt/core.h>", "belongs to fmt"},
                    Planted{"core/base/a.cpp", "#include <boost/any.hpp>", "does not know"},
                    Planted{"core/base/a.cpp", "#include <gtest/gtest.h>", "belongs to gtest"},
                    Planted{"kernels/cpu/a.cpp", "#include \"core/base/result.h\"", "must not see"},
                    Planted{"core/model/a.cpp", "#include \"kernels/cpu/attention.h\"", "must not see"},
                    Planted{"core/base/a.cpp", "#include \"core/tensor/shape.h\"", "must not see"},
                    Planted{"core/backend/a.cpp", "#include \"core/model/wan.h\"", "must not see"},
                    Planted{"core/model/a.cpp", "#include \"core/media/clip_writer.h\"", "must not see"},
                    Planted{"core/media/a.cpp", "#include \"core/backend/ops.h\"", "must not see"},
                    Planted{"core/store/a.cpp", "#include \"core/media/clip_writer.h\"", "must not see"},
                    Planted{"core/pipeline/a.cpp", "#include \"app/engine/clip_job.h\"", "must not see"},
                    Planted{"app/engine/a.cpp", "#include \"ui/main_window.h\"", "must not see"},
                    Planted{"app/engine/a.cpp", "#include <QString>", "belongs to qt"},
                    Planted{"app/studio/running_job.cpp", "#include \"ui/main_window.h\"", "must not see"},
                    Planted{"ui/a.cpp", "#include \"core/pipeline/generator.h\"", "must not see"},
                    Planted{"ui/a.cpp", "#include \"app/engine/clip_job.h\"", "must not see"},
                    Planted{"app/studio/a.cpp", "#include \"app/engine/clip_job.h\"", "must not see"},
                    Planted{"app/studio/main.cpp", "#include \"core/pipeline/generator.h\"", "must not see"},
                    Planted{"core/media/a.cpp", "#include \"../backend/ops.h\"", "goes up"},
                    Planted{"core/media/a.cpp", "#include \"third/party.h\"", "does not know"},
                    Planted{"core/media/a.cpp", "#include \"core/novelty/a.h\"", "in no folder"},
                    Planted{"core/base/a.cpp", "#include \"hwy/highway.h\"", "belongs to highway"},
                    Planted{"core/base/a.cpp", "#include \"sqlite3.h\"", "belongs to sqlite"},
                    Planted{"core/novelty/a.cpp", "#include <vector>", "in no folder"},
                    Planted{"core/mediaplus/a.cpp", "#include <vector>", "in no folder"}));

TEST_P(PlantedInclude, IsFound) {
    const std::string source = "// first line\n" + GetParam().text + "\nint x;\n";
    EXPECT_THAT(includeViolations(GetParam().path, source), ElementsAre(HasSubstr(GetParam().complaint)));
}

TEST(Includes, NamesPlaceAndReason) {
    EXPECT_THAT(includeViolations("core/job/plan.cpp", "#include <vector>\n\n#include <QSize>\n"),
                ElementsAre("core/job/plan.cpp:3: QSize belongs to qt, which core/job must not see"));
}

TEST(Includes, AllowedOnesPass) {
    EXPECT_THAT(includeViolations("core/media/a.cpp",
                                  "#include \"core/media/a.h\"\n#include \"neighbour.h\"\n#include <vector>\n"
                                  "#include <sys/stat.h>\n#include <libavutil/frame.h>\n#include <fmt/core.h>\n"
                                  "// #include <QString>\n#include \"core/job/plan.h\"\n"),
                IsEmpty());
    EXPECT_THAT(
        includeViolations("app/studio/main.cpp", "#include \"ui/main_window.h\"\n#include <QApplication>\n"),
        IsEmpty());
    EXPECT_THAT(includeViolations("ui/inspector/a.cpp", "#include <imgui.h>\n#include <QWidget>\n"), IsEmpty());
}

class PlantedLink : public testing::TestWithParam<Planted> {};

INSTANTIATE_TEST_SUITE_P(
    Forbidden, PlantedLink,
    testing::Values(
        Planted{"core/media/CMakeLists.txt", "fw_library(fw_media SOURCES a.cpp PUBLIC fw_job fw_backend)",
                "fw_backend"},
        Planted{"core/model/CMakeLists.txt", "fw_library(fw_model SOURCES ${s} PRIVATE fw_dnnl)", "dnnl"},
        Planted{"core/model/CMakeLists.txt", "fw_library(fw_model\n  SOURCES ${s}\n  PRIVATE\n    fw_kernels_cpu)",
                "fw_kernels_cpu"},
        Planted{"core/base/CMakeLists.txt", "fw_library(fw_base PUBLIC fw_tensor)", "fw_tensor"},
        Planted{"core/job/CMakeLists.txt", "fw_library(fw_job PUBLIC fw_base Qt6::Core)", "Qt6::Core"},
        Planted{"core/job/CMakeLists.txt", "target_link_libraries(fw_job PUBLIC PkgConfig::sqlite3)", "sqlite"},
        Planted{"core/job/CMakeLists.txt", "target_link_libraries(fw_job PkgConfig::libav)", "libav"},
        Planted{"core/store/CMakeLists.txt", "fw_library(fw_store PRIVATE PkgConfig::libav)", "libav"},
        Planted{"core/store/CMakeLists.txt", "fw_library(fw_store PRIVATE boost_any)", "does not know"},
        Planted{"core/pipeline/CMakeLists.txt", "fw_library(fw_pipeline PRIVATE CUDA::cudart)", "cuda"},
        Planted{"app/supervisor/CMakeLists.txt", "fw_library(fw_app_supervisor PUBLIC Qt6::Widgets)", "qt_gui"},
        Planted{"app/supervisor/CMakeLists.txt", "fw_library(fw_app_supervisor PUBLIC fw_pipeline)", "fw_pipeline"},
        Planted{"app/cli/CMakeLists.txt", "fw_program(fw SOURCES a.cpp LIBS fw_app_engine fw_ui)", "fw_ui"},
        Planted{"app/studio/CMakeLists.txt", "fw_library(fw_app_studio PUBLIC fw_ui)", "fw_ui"},
        Planted{"ui/CMakeLists.txt", "fw_library(fw_ui PUBLIC fw_app_engine)", "fw_app_engine"},
        Planted{"app/studio/CMakeLists.txt", "fw_program(framewright SOURCES main.cpp LIBS fw_ui fw_app_engine)",
                "fw_app_engine"},
        Planted{"core/novelty/CMakeLists.txt", "fw_library(fw_novelty PUBLIC fw_base)", "no folder of the table"},
        Planted{"core/CMakeLists.txt", "include_directories(${CMAKE_SOURCE_DIR})", "opens include paths"},
        Planted{"core/CMakeLists.txt", "LINK_LIBRARIES(fw_base)", "opens include paths"},
        Planted{"ui/CMakeLists.txt", "target_include_directories(fw_ui PUBLIC ..)", "opens include paths"}));

TEST_P(PlantedLink, IsFound) {
    const std::string script = "# a comment (with parentheses)\n" + GetParam().text + "\n";
    EXPECT_THAT(linkViolations(GetParam().path, script), ElementsAre(HasSubstr(GetParam().complaint)));
}

TEST(Links, AllowedOnesPass) {
    EXPECT_THAT(
        linkViolations("core/media/CMakeLists.txt",
                       "file(GLOB sources CONFIGURE_DEPENDS *.cpp)\nfw_library(fw_media SOURCES ${sources}\n"
                       "  PUBLIC fw_job fw_tensor PRIVATE PkgConfig::libav) # fw_backend\n"),
        IsEmpty());
    EXPECT_THAT(linkViolations("app/studio/CMakeLists.txt",
                               "fw_program(framewright SOURCES main.cpp LIBS fw_ui fw_app_studio Qt6::Widgets)\n"),
                IsEmpty());
}

TEST(Reader, FindsIncludesAndTheirLines) {
    const auto includes = readIncludes("#pragma once\n#include <a>\n//#include <b>\n # include \"c/d.h\" // e\n");
    ASSERT_EQ(includes.size(), 2U);
    EXPECT_EQ(includes[0].name, "a");
    EXPECT_FALSE(includes[0].quoted);
    EXPECT_EQ(includes[1].name, "c/d.h");
    EXPECT_TRUE(includes[1].quoted);
    EXPECT_EQ(includes[1].line, 4);
    EXPECT_THAT(readIncludes("#include <unfinished\n#include MACRO\n#include"), IsEmpty());
}

TEST(Reader, FindsCommandsTheirLinesAndArguments) {
    const auto commands = readCommands("# x(y)\nif(A)\n  Foo( a \"b c\" # d\n   e;f (g) )\nendif()\n");
    ASSERT_EQ(commands.size(), 3U);
    EXPECT_EQ(commands[1].name, "foo");
    EXPECT_EQ(commands[1].line, 3);
    EXPECT_THAT(commands[1].arguments, ElementsAre("a", "b", "c", "e", "f", "g"));
    EXPECT_EQ(commands[2].name, "endif");
    EXPECT_EQ(commands[2].line, 5);
    EXPECT_EQ(readCommands("unfinished(a b").size(), 1U);
}

}  // namespace
}  // namespace fw::layering
