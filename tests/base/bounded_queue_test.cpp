#include "core/base/bounded_queue.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace fw {
namespace {

TEST(BoundedQueue, KeepsOrderAndDrainsAfterClose) {
    BoundedQueue<int> queue(2);
    std::thread producer([&] {
        for (int i = 0; i < 100; ++i) {
            EXPECT_TRUE(queue.push(i));
        }
        queue.close();
    });
    int expected = 0;
    while (auto item = queue.pop()) {
        EXPECT_EQ(*item, expected++);
    }
    EXPECT_EQ(expected, 100);
    producer.join();
    EXPECT_FALSE(queue.push(1));
}

TEST(BoundedQueue, AbortWakesABlockedProducer) {
    BoundedQueue<int> queue(1);
    ASSERT_TRUE(queue.push(1));
    std::thread producer([&] { EXPECT_FALSE(queue.push(2)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    queue.abort();
    producer.join();
    EXPECT_FALSE(queue.pop());
}

}  // namespace
}  // namespace fw
