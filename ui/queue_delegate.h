// Paints one line of the queue: picture or place, prompt, what it asks for or how far it is.
#pragma once

#include <QStyledItemDelegate>

namespace fw::ui {

class QueueModel;
struct Colours;
struct QueueRow;

class QueueDelegate : public QStyledItemDelegate {
    Q_OBJECT

 public:
    // `model` is the one of the view and outlives the delegate.
    explicit QueueDelegate(const QueueModel& model, QObject* parent = nullptr);

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
    [[nodiscard]] QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

    // Where the button for the row's menu is, inside the row's rectangle.
    [[nodiscard]] static QRect menuButton(const QRect& row);
    // The row whose menu button is shown, by the mouse; -1: none.
    void setHovered(int row) { m_hovered = row; }

 private:
    void paintHeading(QPainter& painter, const QStyleOptionViewItem& option, int row) const;
    void paintPicture(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option, int row) const;
    void paintTexts(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option, int row) const;
    void paintPhases(QPainter& painter, const QRect& place, const QStyleOptionViewItem& option) const;
    // `width` of one bar, `current` the phase under way or -1.
    static void paintPhaseNames(QPainter& painter, const QRect& place, double width, int current,
                                const Colours& colours);

    const QueueModel& m_model;
    int m_hovered = -1;
};

}  // namespace fw::ui
