#include "ui/about_dialog.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QFile>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/controls.h"
#include "ui/theme.h"

namespace fw::ui {
namespace {

constexpr int kWidth = 84 * kGrid;
constexpr int kTextHeight = 36 * kGrid;

QString textOf(const char* name) {
    return QStringLiteral(":/framewright/licences/%1.txt").arg(QLatin1String(name));
}

QString read(const QString& resource) {
    QFile file(resource);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

}  // namespace

QList<Component> components() {
    const auto of = [](const char* name, const char* copyright, const char* licence, const char* text) {
        return Component{QString::fromUtf8(name), QString::fromUtf8(copyright), QLatin1String(licence),
                         textOf(text)};
    };
    const QString qt = QStringLiteral("Qt %1").arg(QLatin1String(qVersion()));
    return {
        of("Framewright", "The authors of Framewright", "Apache-2.0", "Apache-2.0"),
        {qt, QStringLiteral("The Qt Company Ltd. and other contributors"), QStringLiteral("LGPL-3"),
         textOf("LGPL-3")},
        of("FFmpeg (libavcodec, libavformat, libavfilter, libavutil, libswscale)", "The FFmpeg developers",
           "GPL-2 or later, as GPL-3", "GPL-3"),
        of("x264", "The x264 project", "GPL-2 or later, as GPL-3", "GPL-3"),
        of("libgomp", "Free Software Foundation, Inc.", "GPL-3 with the GCC runtime library exception", "GPL-3"),
        of("oneDNN", "Intel Corporation", "Apache-2.0", "Apache-2.0"),
        of("Highway", "Google LLC", "Apache-2.0", "Apache-2.0"),
        of("SentencePiece", "Taku Kudo, Google Inc.", "Apache-2.0", "Apache-2.0"),
        of("OpenSSL libcrypto", "The OpenSSL Project Authors", "Apache-2.0", "Apache-2.0"),
        of("fmt", "Victor Zverovich", "MIT", "MIT"),
        of("JSON for Modern C++", "Niels Lohmann", "MIT", "MIT"),
        of("utf8proc", "Public Software Group e. V., Steven G. Johnson, Jiahao Chen, Tony Kelman and others", "MIT",
           "MIT"),
        of("Unicode data in utf8proc", "1991–2007 Unicode, Inc.", "Unicode", "Unicode"),
        of("CLI11 (in fw)", "University of Cincinnati, developed by Henry Schreiner", "BSD-3-Clause",
           "BSD-3-Clause"),
        of("libwebp", "Google Inc.", "BSD-3-Clause", "BSD-3-Clause"),
        {QStringLiteral("tl::expected"), QStringLiteral("Sy Brand"), QStringLiteral("CC0-1.0"), QString()},
        {QStringLiteral("SQLite"), QString(), QStringLiteral("public domain"), QString()}};
}

AboutDialog::AboutDialog(QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("About Framewright"));
    setMinimumWidth(kWidth);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(3 * kGrid, 3 * kGrid, 3 * kGrid, 2 * kGrid);
    column->setSpacing(kGrid);
    column->addWidget(
        makeLabel(tr("Framewright %1").arg(QCoreApplication::applicationVersion()), TextRole::Heading));
    column->addWidget(makeLabel(tr("Makes video from text with diffusion transformers, on this machine alone: no "
                                   "network access at all."),
                                TextRole::Body, true));
    column->addSpacing(kGrid);
    auto* choice = new QComboBox;
    choice->setAccessibleName(tr("Licence of"));
    choice->setToolTip(tr("Framewright and the libraries it uses"));
    const auto list = components();
    for (const Component& component : list) {
        choice->addItem(tr("%1: %2", "library: licence").arg(component.name, component.licence));
    }
    auto* text = new QPlainTextEdit;
    text->setReadOnly(true);
    text->setTabChangesFocus(true);
    text->setAccessibleName(tr("Licence"));
    text->setToolTip(tr("The terms under which it can be used and passed on"));
    text->setMinimumHeight(kTextHeight);
    const auto show = [list, text](int index) {
        const Component& component = list[index];
        const QString terms = component.text.isEmpty()
                                  ? tr("Given to everybody to use as they like, without conditions.")
                                  : read(component.text);
        text->setPlainText(component.copyright.isEmpty()
                               ? terms
                               : QStringLiteral("Copyright %1\n\n%2").arg(component.copyright, terms));
    };
    connect(choice, &QComboBox::currentIndexChanged, this, show);
    show(0);
    column->addWidget(choice);
    column->addWidget(text, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    column->addWidget(buttons);
    buttons->button(QDialogButtonBox::Close)->setFocus();
}

}  // namespace fw::ui
