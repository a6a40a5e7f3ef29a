// The seed: a number, a dice that draws another, a lock that keeps it from run to run.
#pragma once

#include <QWidget>
#include <optional>

class QLineEdit;
class QToolButton;

namespace fw::ui {

class SeedField : public QWidget {
    Q_OBJECT

 public:
    explicit SeedField(QWidget* parent = nullptr);

    // Nothing while what is typed is no number from 0 to 2^64 - 1.
    [[nodiscard]] std::optional<quint64> seed() const;
    void setSeed(quint64 seed);
    [[nodiscard]] bool isLocked() const;
    void setLocked(bool locked);
    // Draws another seed unless it is locked; the studio does so before every run.
    void drawUnlessLocked();

    [[nodiscard]] QLineEdit* edit() const { return m_edit; }
    [[nodiscard]] QToolButton* lockButton() const { return m_lock; }

 signals:
    void changed();

 private:
    void draw();
    void showLock();

    QLineEdit* m_edit;
    QToolButton* m_dice;
    QToolButton* m_lock;
};

}  // namespace fw::ui
