add_test(NAME architecture COMMAND ${CMAKE_SOURCE_DIR}/tests/architecture.sh ${CMAKE_SOURCE_DIR})
