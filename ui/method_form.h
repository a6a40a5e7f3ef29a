// A choice of methods (or of caches) and the form of the chosen one, generated from what it declares.
#pragma once

#include <QWidget>
#include <functional>
#include <vector>

#include "core/job/parameter_schema.h"

class QComboBox;
class QGridLayout;
class QLabel;
class QToolButton;

namespace fw::ui {

// How a parameter is shown: "Block size"; its help with the range and the default; the decimals that show both ends
// of the range and the default without rounding them away.
[[nodiscard]] QString parameterTitle(const job::ParameterSchema& schema);
[[nodiscard]] QString parameterToolTip(const job::ParameterSchema& schema);
[[nodiscard]] int parameterDecimals(const job::ParameterSchema& schema);

class MethodForm : public QWidget {
    Q_OBJECT

 public:
    // `title` heads the form ("Attention"); `toolTip` explains the choice.
    MethodForm(const QString& title, const QString& toolTip, QWidget* parent = nullptr);

    // What can be chosen. Hidden while empty. Keeps the choice and the values that still exist.
    void setMethods(std::vector<job::MethodDescription> methods);
    // Chooses `id` with `values`; values that are missing take their default, unknown ones are left out. An id that
    // is not offered is kept as it is, so that a request for another machine passes through unchanged.
    void choose(const std::string& id, const Json& values);
    [[nodiscard]] std::string id() const;
    // One entry for each parameter.
    [[nodiscard]] Json values() const;

 signals:
    void changed();

 private:
    // A control and how to read and write its value.
    struct Field {
        job::ParameterSchema schema;
        std::function<Json()> read;
        std::function<void(const Json&)> write;
    };

    void buildFields();
    [[nodiscard]] Field makeField(const job::ParameterSchema& schema, QGridLayout* grid);
    [[nodiscard]] const job::MethodDescription* method() const;

    std::vector<job::MethodDescription> m_methods;
    std::vector<Field> m_fields;
    std::string m_foreignId;  // chosen, but not offered
    Json m_foreignValues = Json::object();
    bool m_filling = false;

    QComboBox* m_choice;
    QLabel* m_summary;
    QWidget* m_parameters = nullptr;
};

}  // namespace fw::ui
