// A library folder of its own for each test.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/store/library_store.h"

namespace fw::store {

class StoreTest : public testing::Test {
 protected:
    void SetUp() override {
        const auto* info = testing::UnitTest::GetInstance()->current_test_info();
        m_folder = std::filesystem::temp_directory_path() /
                   (std::string("fw-store-") + info->name() + "-" + std::to_string(getpid()));
        std::filesystem::remove_all(m_folder);
        reopen();
    }
    void TearDown() override {
        m_store.reset();
        std::filesystem::remove_all(m_folder);
    }
    // As if the program had been started again; without close() that is a crash.
    void reopen() {
        m_store.reset();
        auto store = LibraryStore::open(m_folder, &m_report);
        ASSERT_TRUE(store) << store.error().message;
        m_store = std::move(*store);
    }
    static Job makeJob(const std::string& prompt) {
        Job job;
        job.requestJson = R"({"prompt":")" + prompt + R"("})";
        return job;
    }
    static Clip makeClip(const std::string& prompt, const std::string& file) {
        Clip clip;
        clip.file = file;
        clip.sha256 = "00";
        clip.bytes = 1;
        clip.width = clip.height = 256;
        clip.frames = 33;
        clip.fpsNumerator = 12;
        clip.prompt = prompt;
        clip.model = "mini";
        clip.method = "dense";
        clip.steps = 20;
        clip.seed = "18446744073709551615";
        clip.requestJson = clip.reportJson = "{}";
        return clip;
    }

    std::filesystem::path m_folder;
    OpenReport m_report;
    std::unique_ptr<LibraryStore> m_store;
};

}  // namespace fw::store
