// The studio's line icons, painted in the colour of the palette at hand and sharp at every scale.
#pragma once

#include <QIcon>
#include <QLabel>
#include <QPalette>
#include <QString>

namespace fw::ui {

// `name` is a file of resources/icons without ".svg"; `role` the palette colour it takes when it is painted.
[[nodiscard]] QIcon icon(const QString& name, QPalette::ColorRole role = QPalette::ButtonText);

// A picture of an icon that changes its colour with the palette.
class IconLabel : public QLabel {
    Q_OBJECT

 public:
    // `side` in device-independent pixels.
    IconLabel(const QString& name, int side, QPalette::ColorRole role, QWidget* parent = nullptr);

 protected:
    void changeEvent(QEvent* event) override;

 private:
    void draw();

    QIcon m_icon;
    int m_side;
};

}  // namespace fw::ui
