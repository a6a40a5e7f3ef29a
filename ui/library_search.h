// The search line of the library: words and `field:value` terms, completed while they are typed; what cannot be
// understood is named in place.
#pragma once

#include <QHash>
#include <QStringList>
#include <QWidget>

class QCompleter;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QStringListModel;

namespace fw::ui {

class LibrarySearch : public QWidget {
    Q_OBJECT

 public:
    explicit LibrarySearch(QWidget* parent = nullptr);

    [[nodiscard]] QString text() const;
    void setText(const QString& text);
    // The line without what cannot be understood.
    [[nodiscard]] QString understood() const { return m_understood; }
    // What may stand behind `field:`; blanks are quoted. Asked for by valuesWanted() where nobody said so yet.
    void setValues(const QString& field, const QStringList& values);
    // The values of `field` changed: they are asked for when they are needed again.
    void forgetValues(const QString& field) { m_values.remove(field); }
    // The mistake in the line, empty when there is none.
    [[nodiscard]] QString mistake() const;
    [[nodiscard]] QLineEdit* line() const { return m_line; }
    // A control between the line and the help.
    void addControl(QWidget* control);

 signals:
    void searched();  // understood() changed
    void leftDown();  // arrow down: to the clips
    void valuesWanted(const QString& field);

 protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

 private:
    void textChanged();
    void complete();
    void insertCompletion(const QString& completion);
    void showHelp();

    QLineEdit* m_line;
    QHBoxLayout* m_row;
    QLabel* m_mistake;
    QCompleter* m_completer;
    QStringListModel* m_completions;
    QString m_understood;
    QHash<QString, QStringList> m_values;
};

}  // namespace fw::ui
