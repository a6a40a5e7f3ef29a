// What Framewright is, what it is made of, and under which terms.
#pragma once

#include <QDialog>
#include <QList>
#include <QString>

namespace fw::ui {

// Something the programs contain or load.
struct Component {
    QString name, copyright;
    QString licence;  // its name
    QString text;     // resource of the whole text
};
// Framewright itself first.
[[nodiscard]] QList<Component> components();

class AboutDialog : public QDialog {
    Q_OBJECT

 public:
    explicit AboutDialog(QWidget* parent = nullptr);
};

}  // namespace fw::ui
