// A layout that sets its widgets in lines, like words.
#pragma once

#include <QLayout>
#include <QList>

namespace fw::ui {

class FlowLayout : public QLayout {
 public:
    explicit FlowLayout(int gap) : m_gap(gap) { setContentsMargins(0, 0, 0, 0); }
    ~FlowLayout() override { qDeleteAll(m_items); }

    void addItem(QLayoutItem* item) override { m_items.append(item); }
    [[nodiscard]] int count() const override { return static_cast<int>(m_items.size()); }
    [[nodiscard]] QLayoutItem* itemAt(int index) const override { return m_items.value(index); }
    QLayoutItem* takeAt(int index) override {
        return index >= 0 && index < count() ? m_items.takeAt(index) : nullptr;
    }
    [[nodiscard]] bool hasHeightForWidth() const override { return true; }
    [[nodiscard]] int heightForWidth(int width) const override { return flow(QRect(0, 0, width, 0), false); }
    [[nodiscard]] QSize sizeHint() const override { return minimumSize(); }
    [[nodiscard]] QSize minimumSize() const override;
    void setGeometry(const QRect& rect) override {
        QLayout::setGeometry(rect);
        flow(rect, true);
    }

 private:
    // The height the lines take.
    int flow(const QRect& rect, bool place) const;

    QList<QLayoutItem*> m_items;
    int m_gap;
};

}  // namespace fw::ui
