#include "ui/dialogs.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>
#include <QMessageBox>
#include <QPushButton>

namespace fw::ui {
namespace {

struct Dialogs {
    Q_DECLARE_TR_FUNCTIONS(fw::ui::Dialogs)
};

// A yes-or-no question whose buttons say what they do. True for `yes`.
bool ask(QWidget* parent, const QString& question, const QString& more, const QString& yes, const QString& no) {
    QMessageBox box(QMessageBox::NoIcon, QStringLiteral("Framewright"), question, QMessageBox::NoButton, parent);
    box.setInformativeText(more);
    auto* yesButton = box.addButton(yes, QMessageBox::AcceptRole);
    box.setDefaultButton(box.addButton(no, QMessageBox::RejectRole));
    box.exec();
    return box.clickedButton() == yesButton;
}

}  // namespace

bool askToReplace(QWidget* parent, const QString& path) {
    return ask(
        parent, Dialogs::tr("Replace “%1”?").arg(QFileInfo(path).fileName()),
        Dialogs::tr("It exists already in %1.").arg(QDir::toNativeSeparators(QFileInfo(path).absolutePath())),
        Dialogs::tr("Replace"), Dialogs::tr("Keep it"));
}

}  // namespace fw::ui
